//! Signatures with a secret that the plugin may use and never sees: HMAC-SHA-256 (RFC 2104). And
//! whether what somebody shows is the secret itself.

use hmac::{Hmac, KeyInit as _, Mac as _};
use model::id::SecretId;
use sha2::Sha256;

use crate::contract::v1::bindings::contract::signing::Host;
use crate::contract::v1::bindings::contract::types::PluginError;
use crate::guest::Guest;
use crate::options::SecretValue;

/// What both sides of a comparison are signed with before they are compared: the time this takes
/// tells nothing of where they differ. Nothing depends on its being secret.
const COMPARED: &[u8] = b"servicewright:plugin/signing.is-secret";

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

    fn is_secret(&mut self, secret: String, candidate: Vec<u8>) -> Answer<bool> {
        self.budget.host_call()?;
        self.budget.comparison()?;
        Ok(self
            .signing_secret(&secret)
            .map(|value| is_same(value.bytes(), &candidate)))
    }
}

/// Whether two secrets are the same, in a time that does not tell where they differ. An empty one is
/// no secret, and the same as nothing.
fn is_same(secret: &[u8], candidate: &[u8]) -> bool {
    // The key of an HMAC is padded and hashed where it is long, so that different keys may act alike;
    // the message is neither.
    let keyed = || hmac(COMPARED);
    let expected = keyed().chain_update(secret).finalize().into_bytes();
    let is_same = keyed().chain_update(candidate).verify(&expected).is_ok();
    is_same && !secret.is_empty()
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of every length")
}

impl Guest {
    fn signer(&self, name: &str) -> Result<Hmac<Sha256>, PluginError> {
        self.signing_secret(name).map(|value| hmac(value.bytes()))
    }

    fn signing_secret(&self, name: &str) -> Result<SecretValue, PluginError> {
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
        self.outgoing.secret(&id).ok_or_else(|| {
            PluginError::Misconfigured(format!("the secret `{id}` has no value on this server"))
        })
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::is_same;

    #[test]
    fn only_the_secret_itself_is_the_secret() {
        assert!(is_same(b"open sesame", b"open sesame"));
        for other in [&b""[..], b"open sesam", b"open sesame ", b"Open sesame"] {
            assert!(!is_same(b"open sesame", other), "{other:?}");
        }
        assert!(!is_same(b"", b""));
    }

    #[test]
    fn what_would_be_the_same_key_is_not_the_same_secret() {
        assert!(!is_same(b"key", b"key\0"));
        let long = [b'k'; 100];
        let digest = Sha256::digest(long);
        assert!(!is_same(&long, &digest));
        assert!(is_same(&long, &long));
    }
}
