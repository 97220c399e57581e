//! What the binding of an integration remembers between calls, apart from all other bindings.
//!
//! What was written stays written, even if the call then fails.

use crate::{Error, Result, host};

/// How often [`update`] tries before it gives up: more writers at once than this are not expected.
const MAX_TRIES: u32 = 16;

/// The value of a key.
///
/// # Errors
/// Where the store cannot be reached.
pub fn get(key: &str) -> Result<Option<Vec<u8>>> {
    host::kv_get(key)
}

/// Writes if the key holds `expected` just now, and tells whether it did. `None` means no value.
///
/// # Errors
/// Where the value is too large or the space full.
pub fn compare_and_set(key: &str, expected: Option<&[u8]>, value: Option<&[u8]>) -> Result<bool> {
    host::kv_compare_and_set(key, expected, value)
}

/// Changes the value of a key, whoever else may be changing it: `change` is asked again with the new
/// value where somebody came first.
///
/// # Errors
/// What `change` fails with, and [`Error::Unavailable`] where others keep coming first.
pub fn update(
    key: &str,
    mut change: impl FnMut(Option<Vec<u8>>) -> Result<Option<Vec<u8>>>,
) -> Result<()> {
    for _ in 0..MAX_TRIES {
        let present = get(key)?;
        let next = change(present.clone())?;
        if compare_and_set(key, present.as_deref(), next.as_deref())? {
            return Ok(());
        }
    }
    Err(Error::unavailable(format!(
        "others kept changing the key `{key}`"
    )))
}

/// Keys that begin with `prefix`, sorted, beginning behind `after`, up to 100.
///
/// # Errors
/// Where the store cannot be reached.
pub fn keys(prefix: &str, after: Option<&str>) -> Result<Vec<String>> {
    host::kv_keys(prefix, after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Desk;

    #[test]
    fn a_value_is_only_replaced_where_it_is_the_expected_one() {
        let _desk = Desk::new().install();
        assert_eq!(compare_and_set("a", None, Some(b"1")), Ok(true));
        assert_eq!(compare_and_set("a", None, Some(b"2")), Ok(false));
        assert_eq!(get("a"), Ok(Some(b"1".to_vec())));
        update("a", |value| {
            assert_eq!(value.as_deref(), Some(&b"1"[..]));
            Ok(None)
        })
        .unwrap();
        assert_eq!(get("a"), Ok(None));
    }

    #[test]
    fn keys_are_listed_by_prefix_from_a_place() {
        let _desk = Desk::new().install();
        for key in ["b/2", "a", "b/1", "c"] {
            compare_and_set(key, None, Some(b"x")).unwrap();
        }
        assert_eq!(keys("b/", None), Ok(vec!["b/1".into(), "b/2".into()]));
        assert_eq!(keys("b/", Some("b/1")), Ok(vec!["b/2".into()]));
    }
}
