//! A binding's own memory between calls. Writing is a compare-and-set, so that two calls at once
//! cannot undo each other's work unawares.

use super::{named, refused};
use crate::contract::v1::bindings::contract::key_value::Host;
use crate::contract::v1::bindings::contract::types::PluginError;
use crate::guest::Guest;

/// How large a value may be, in bytes.
const VALUE: usize = 64 << 10;

type Answer<T> = wasmtime::Result<Result<T, PluginError>>;

impl Host for Guest {
    fn get(&mut self, key: String) -> Answer<Option<Vec<u8>>> {
        self.budget.host_call()?;
        Ok(self.with_key(&key).and_then(|()| {
            self.around
                .key_value(&self.bound.id, &key)
                .map_err(|error| refused(&error))
        }))
    }

    async fn compare_and_set(
        &mut self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
    ) -> Answer<bool> {
        self.budget.host_call()?;
        let size = value.as_ref().map_or(0, Vec::len);
        if let Err(error) = self.with_key(&key).and_then(|()| sized(size)) {
            return Ok(Err(error));
        }
        let wrote = self
            .around
            .compare_and_set(&self.bound.id, &key, expected, value)
            .await;
        Ok(wrote.map_err(|error| refused(&error)))
    }

    fn keys(&mut self, prefix: String, after: Option<String>) -> Answer<Vec<String>> {
        self.budget.host_call()?;
        let named = self
            .with_key(&prefix)
            .and_then(|()| named("a key", after.as_deref().unwrap_or_default()));
        Ok(named.and_then(|()| {
            self.around
                .keys(&self.bound.id, &prefix, after.as_deref())
                .map_err(|error| refused(&error))
        }))
    }
}

impl Guest {
    fn with_key(&self, key: &str) -> Result<(), PluginError> {
        if self.bound.granted.key_value {
            return named("a key", key);
        }
        Err(PluginError::Misconfigured(
            "the binding grants no key-value space".to_owned(),
        ))
    }
}

fn sized(size: usize) -> Result<(), PluginError> {
    if size <= VALUE {
        return Ok(());
    }
    Err(PluginError::InvalidInput(format!(
        "a value of {size} bytes, at most {VALUE} are allowed"
    )))
}
