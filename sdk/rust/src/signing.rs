//! Proving who sent a message, with a secret that the plugin may use but never sees. For integrations.
//!
//! A secret that the binding was not granted is [`Error::Misconfigured`](crate::Error::Misconfigured).

use crate::{Result, host};

/// The 32 bytes of HMAC-SHA-256 (RFC 2104) over a message, keyed with the secret of this name.
///
/// # Errors
/// Where the secret was not granted.
pub fn hmac_sha256(secret: &str, message: &[u8]) -> Result<Vec<u8>> {
    host::hmac_sha256(secret, message)
}

/// Whether `signature` is what [`hmac_sha256`] makes of the message, compared in constant time.
///
/// # Errors
/// Where the secret was not granted.
pub fn verify_hmac_sha256(secret: &str, message: &[u8], signature: &[u8]) -> Result<bool> {
    host::verify_hmac_sha256(secret, message, signature)
}

/// Whether `candidate` is the secret itself, compared in constant time: for a sender that shows a
/// shared token instead of signing. At most 16 times in a call; the next one ends it.
///
/// # Errors
/// Where the secret was not granted.
pub fn is_secret(secret: &str, candidate: &[u8]) -> Result<bool> {
    host::is_secret(secret, candidate)
}

/// Bytes as lower-case hexadecimal digits, which is how signatures stand in headers.
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// The bytes that hexadecimal digits of either case stand for; nothing where it is anything else.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Desk;

    #[test]
    fn a_message_is_signed_as_rfc_4231_has_it() {
        let _desk = Desk::new().secret("key", b"Jefe").install();
        let signature = hmac_sha256("key", b"what do ya want for nothing?").unwrap();
        assert_eq!(
            to_hex(&signature),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            verify_hmac_sha256("key", b"what do ya want for nothing?", &signature),
            Ok(true)
        );
        assert_eq!(
            verify_hmac_sha256("key", b"for nothing", &signature),
            Ok(false)
        );
        assert_eq!(verify_hmac_sha256("key", b"", b""), Ok(false));
    }

    #[test]
    fn a_shared_token_is_compared_and_not_seen() {
        let _desk = Desk::new().secret("token", b"s3cret").install();
        assert_eq!(is_secret("token", b"s3cret"), Ok(true));
        for other in [&b"s3cre"[..], b"s3cret\0", b""] {
            assert_eq!(is_secret("token", other), Ok(false));
        }
        let error = is_secret("other", b"s3cret").unwrap_err();
        assert_eq!(error.message(), "the secret `other` was not granted");
    }

    #[test]
    fn hexadecimal_digits_come_back_as_the_same_bytes() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(from_hex(&to_hex(&bytes)), Some(bytes));
        assert_eq!(from_hex("ABcd"), Some(vec![0xab, 0xcd]));
        assert_eq!(from_hex("abc"), None);
        assert_eq!(from_hex("+1"), None);
    }
}
