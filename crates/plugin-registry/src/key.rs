//! Keys: ECDSA over P-256 with SHA-256, which is what `cosign generate-key-pair` makes. Public ones
//! are PEM as OpenSSL writes it; private ones are PEM too, kept under a passphrase.

use std::fmt;

use model::Digest;
use pem_rfc7468::LineEnding;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use thiserror::Error;

use crate::sealed;

/// The longest key file read, in bytes.
const MAX_BYTES: usize = 64 << 10;
/// How `SubjectPublicKeyInfo` of a P-256 key begins, up to the point: RFC 5480.
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// How long a point is, uncompressed.
const POINT: usize = 65;
/// What private keys under a passphrase are called, today and by older programs.
const SEALED: [&str; 2] = [
    "ENCRYPTED SIGSTORE PRIVATE KEY",
    "ENCRYPTED COSIGN PRIVATE KEY",
];

/// Why a key cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// It is no PEM, or of another kind.
    #[error("it is no {wanted}: {found}")]
    NotAKey {
        /// What was looked for.
        wanted: &'static str,
        /// What there is instead.
        found: String,
    },
    /// It is a key of another algorithm.
    #[error(
        "it is a key of another kind than ECDSA over P-256, which `wright plugin keygen` and `cosign generate-key-pair` make"
    )]
    Algorithm,
    /// The passphrase is not the one that the key is kept under, or the file was changed.
    #[error("the passphrase is not the one that the key is kept under")]
    Passphrase,
    /// It says to be kept in a way that is not known here.
    #[error("it is kept in a way that is not known here: {0}")]
    Sealing(String),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Randomness,
}

/// Whom signatures are checked against.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    point: [u8; POINT],
}

impl PublicKey {
    /// Reads a public key in PEM.
    ///
    /// # Errors
    /// Where it is none, or not of ECDSA over P-256.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let wanted = "public key in PEM";
        let (label, der) = read_pem(pem, wanted)?;
        if label != "PUBLIC KEY" {
            let found = format!("it holds `{label}`");
            return Err(KeyError::NotAKey { wanted, found });
        }
        let point = der.strip_prefix(P256).ok_or(KeyError::Algorithm)?;
        let point = point.try_into().map_err(|_| KeyError::Algorithm)?;
        Ok(Self { point })
    }

    /// The key in PEM.
    pub fn to_pem(&self) -> String {
        write_pem("PUBLIC KEY", &self.der())
    }

    /// What it is called: the digest of its DER form, which signatures name as their hint.
    pub fn id(&self) -> Digest {
        Digest::of(&self.der())
    }

    fn der(&self) -> Vec<u8> {
        [P256, &self.point].concat()
    }

    /// Whether this key signed these bytes so.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.point)
            .verify(message, signature)
            .is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

/// What signatures are made with.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.id())
    }
}

impl SigningKey {
    /// Draws a new key: itself, and the PEM in which it is kept under the passphrase.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub fn generate(passphrase: &[u8]) -> Result<(Self, String), KeyError> {
        let random = SystemRandom::new();
        let drawn = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
            .map_err(|_| KeyError::Randomness)?;
        let sealed = sealed::seal(drawn.as_ref(), passphrase)?;
        Ok((
            Self::from_pkcs8(drawn.as_ref())?,
            write_pem(SEALED[0], &sealed),
        ))
    }

    /// Reads a private key in PEM: one under a passphrase, or a plain one in PKCS #8, for which the
    /// passphrase is not asked.
    ///
    /// # Errors
    /// Where it is none, not of ECDSA over P-256, or the passphrase is another.
    pub fn from_pem<E: From<KeyError>>(
        pem: &[u8],
        passphrase: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let wanted = "private key in PEM";
        let (label, content) = read_pem(pem, wanted)?;
        if SEALED.contains(&label) {
            let opened = sealed::open(&content, &passphrase()?)?;
            return Ok(Self::from_pkcs8(&opened)?);
        }
        if label == "PRIVATE KEY" {
            return Ok(Self::from_pkcs8(&content)?);
        }
        let found = format!("it holds `{label}`");
        Err(KeyError::NotAKey { wanted, found }.into())
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der, &random)
            .map_err(|_| KeyError::Algorithm)?;
        let point = pair.public_key().as_ref().try_into();
        let public = PublicKey {
            point: point.map_err(|_| KeyError::Algorithm)?,
        };
        Ok(Self { pair, public })
    }

    /// The key that others check its signatures against.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signed = self.pair.sign(&SystemRandom::new(), message);
        let signed = signed.map_err(|_| KeyError::Randomness)?;
        Ok(signed.as_ref().to_vec())
    }
}

fn read_pem<'p>(pem: &'p [u8], wanted: &'static str) -> Result<(&'p str, Vec<u8>), KeyError> {
    let not = |found: String| KeyError::NotAKey { wanted, found };
    if pem.len() > MAX_BYTES {
        return Err(not(format!("it has more than {MAX_BYTES} bytes")));
    }
    pem_rfc7468::decode_vec(pem).map_err(|error| not(error.to_string()))
}

fn write_pem(label: &'static str, content: &[u8]) -> String {
    pem_rfc7468::encode_string(label, LineEnding::LF, content)
        .expect("the labels are right, and the content is short")
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

    use super::{KeyError, PublicKey, SigningKey, write_pem};

    /// A private key that is kept under no passphrase.
    fn plain() -> String {
        let drawn =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
        write_pem("PRIVATE KEY", drawn.expect("a key").as_ref())
    }

    fn never() -> Result<Vec<u8>, KeyError> {
        panic!("a plain key needs no passphrase")
    }

    #[test]
    fn a_key_is_kept_under_its_passphrase() {
        let (key, pem) = SigningKey::generate(b"open sesame").expect("a key");
        assert!(pem.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"));
        let read = |passphrase: &'static [u8]| {
            SigningKey::from_pem(pem.as_bytes(), || Ok::<_, KeyError>(passphrase.to_vec()))
        };
        let again = read(b"open sesame").expect("the same key");
        assert_eq!(again.public(), key.public());
        assert_eq!(
            read(b"open barley").map(drop).unwrap_err(),
            KeyError::Passphrase
        );
        let public = key.public().to_pem();
        assert_eq!(
            PublicKey::from_pem(public.as_bytes()).as_ref(),
            Ok(key.public())
        );
    }

    #[test]
    fn a_plain_key_needs_no_passphrase() {
        let key = SigningKey::from_pem(plain().as_bytes(), never).expect("a plain key");
        let signed = key.sign(b"a component").expect("signed");
        assert!(key.public().has_signed(b"a component", &signed));
        assert!(!key.public().has_signed(b"a Component", &signed));
    }

    #[test]
    fn what_is_no_key_says_so() {
        for (pem, says) in [
            ("", "it is no public key in PEM"),
            (&plain(), "it holds `PRIVATE KEY`"),
            // An Ed25519 key.
            (
                "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n",
                "another kind than ECDSA",
            ),
        ] {
            let error = PublicKey::from_pem(pem.as_bytes()).expect_err("no key");
            assert!(error.to_string().contains(says), "{error}");
        }
        let key = SigningKey::from_pem(plain().as_bytes(), never).expect("a plain key");
        let error = SigningKey::from_pem(key.public().to_pem().as_bytes(), never)
            .expect_err("no private key");
        assert!(
            error.to_string().contains("it holds `PUBLIC KEY`"),
            "{error}"
        );
    }
}
