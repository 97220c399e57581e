//! Signatures with a secret that the plugin may use and never sees: HMAC-SHA-256 (RFC 2104).

use hmac::{Hmac, KeyInit as _, Mac as _};
use model::id::SecretId;
use sha2::Sha256;

use crate::bindings::contract::signing::Host;
use crate::bindings::contract::types::PluginError;
use crate::guest::Guest;

type Answer<T> = wasmtime::Result<Result<T, PluginError>>;

impl Host for Guest {
    fn hmac_sha256(&mut self, secret: String, message: Vec<u8>) -> Answer<Vec<u8>> {
        self.budget.host_call()?;
        Ok(self
            .signer(&secret)
            .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()))
    }

    fn verify_hmac_sha256(
        &mut self,
        secret: String,
        message: Vec<u8>,
        signature: Vec<u8>,
    ) -> Answer<bool> {
        self.budget.host_call()?;
        Ok(self
            .signer(&secret)
            .map(|mac| mac.chain_update(message).verify_slice(&signature).is_ok()))
    }
}

impl Guest {
    fn signer(&self, name: &str) -> Result<Hmac<Sha256>, PluginError> {
        let may_sign = |id: &SecretId| {
            self.bound
                .granted
                .secrets
                .get(id)
                .is_some_and(|grant| grant.sign)
        };
        let id = SecretId::new(name).ok().filter(may_sign).ok_or_else(|| {
            let name: String = name.chars().take(64).collect();
            PluginError::Misconfigured(format!(
                "the binding grants no signing with a secret `{name}`"
            ))
        })?;
        let value = self.outgoing.secret(&id).ok_or_else(|| {
            PluginError::Misconfigured(format!("the secret `{id}` has no value on this server"))
        })?;
        Ok(Hmac::new_from_slice(value.bytes()).expect("HMAC takes keys of every length"))
    }
}
