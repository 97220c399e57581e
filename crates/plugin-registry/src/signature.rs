//! Signatures over a component: Sigstore bundles as `cosign sign-blob --key --bundle` writes them.
//! They are checked offline, against keys alone: a transparency log is neither written nor asked.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::Digest;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::key::{KeyError, PublicKey, SigningKey};

/// The longest signature read, in bytes; one with a key has some 400.
pub const MAX_SIGNATURE_BYTES: usize = 64 << 10;
/// What bundles are called that are written here: version 0.3 of the format.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// How the names of all versions begin.
pub(crate) const ANY_VERSION: &str = "application/vnd.dev.sigstore.bundle";
const ALGORITHM: &str = "SHA2_256";

/// Why a signature does not count.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SignatureError {
    /// It is no signature at all.
    #[error("it is no Sigstore bundle: {0}")]
    NotABundle(String),
    /// It is one of another kind.
    #[error(
        "{0}; sign the component itself, with `wright plugin sign` or `cosign sign-blob --key`"
    )]
    Kind(&'static str),
    /// It is a signature of something else.
    #[error("it signs {signed}, and this is {component}: one of them was changed since")]
    OfAnother {
        /// What it says it signs.
        signed: Digest,
        /// What was to be checked.
        component: Digest,
    },
    /// The key did not make it.
    #[error("it was not made with the key {0}, or was changed since")]
    Wrong(Digest),
}

/// A signature over a component.
#[derive(Clone, Debug)]
pub struct Signature {
    key: Option<Digest>,
    signed: Option<Digest>,
    made: Vec<u8>,
}

impl Signature {
    /// Signs a component; gives the bundle.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub fn make(key: &SigningKey, component: &[u8]) -> Result<Vec<u8>, KeyError> {
        let hint = BASE64.encode(key.public().id().as_bytes());
        let digest = BASE64.encode(Digest::of(component).as_bytes());
        let bundle = Bundle {
            media_type: MEDIA_TYPE.to_owned(),
            verification_material: Material {
                public_key: Some(Hint { hint }),
            },
            message_signature: Some(MessageSignature {
                message_digest: Some(MessageDigest {
                    algorithm: ALGORITHM.to_owned(),
                    digest,
                }),
                signature: BASE64.encode(key.sign(component)?),
            }),
        };
        Ok(serde_json::to_vec(&bundle).expect("texts can be written"))
    }

    /// Reads a bundle. Nothing of it is checked yet.
    ///
    /// # Errors
    /// Where it is none, or of another kind.
    pub fn parse(bundle: &[u8]) -> Result<Self, SignatureError> {
        let not = |what: String| SignatureError::NotABundle(what);
        if bundle.len() > MAX_SIGNATURE_BYTES {
            return Err(not(format!("it has more than {MAX_SIGNATURE_BYTES} bytes")));
        }
        let bundle: Bundle =
            serde_json::from_slice(bundle).map_err(|error| not(error.to_string()))?;
        if !bundle.media_type.starts_with(ANY_VERSION) {
            return Err(not("its mediaType is another".to_owned()));
        }
        let Some(message) = bundle.message_signature else {
            return Err(SignatureError::Kind("it signs a statement"));
        };
        let key = bundle.verification_material.public_key;
        let signed = match &message.message_digest {
            Some(said) if said.algorithm == ALGORITHM => {
                let signed = digest(&said.digest);
                Some(signed.ok_or_else(|| not("its digest is none".to_owned()))?)
            }
            Some(_) => return Err(SignatureError::Kind("it signs a digest of another kind")),
            None => None,
        };
        let made = BASE64.decode(&message.signature);
        Ok(Self {
            // What the hint of others says need not be a digest; it only names the key to people.
            key: key.and_then(|key| digest(&key.hint)),
            signed,
            made: made.map_err(|_| not("its signature is no base64".to_owned()))?,
        })
    }

    /// The id of the key that it says it was made with.
    pub const fn key(&self) -> Option<Digest> {
        self.key
    }

    /// Whether it says to be one of this component, where it says of what it is.
    ///
    /// # Errors
    /// Where it says to be one of another.
    pub fn check_signed(&self, component: &[u8]) -> Result<(), SignatureError> {
        let component = Digest::of(component);
        match self.signed {
            Some(signed) if signed != component => {
                Err(SignatureError::OfAnother { signed, component })
            }
            _ => Ok(()),
        }
    }

    /// Whether the key made it over this component.
    ///
    /// # Errors
    /// Where it did not.
    pub fn verify(&self, component: &[u8], key: &PublicKey) -> Result<(), SignatureError> {
        self.check_signed(component)?;
        if key.has_signed(component, &self.made) {
            Ok(())
        } else {
            Err(SignatureError::Wrong(key.id()))
        }
    }
}

/// Where the signature of a component's file lies: beside it.
pub fn file_beside(component: &Path) -> PathBuf {
    let mut name = component.as_os_str().to_owned();
    name.push(".sigstore.json");
    PathBuf::from(name)
}

fn digest(base64: &str) -> Option<Digest> {
    let bytes = BASE64.decode(base64).ok()?;
    bytes.try_into().ok().map(Digest::from_bytes)
}

/// The bundle as it is written; what is not named here is for other readers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_signature: Option<MessageSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<Hint>,
}

#[derive(Serialize, Deserialize)]
struct Hint {
    #[serde(default)]
    hint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageSignature {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_digest: Option<MessageDigest>,
    signature: String,
}

#[derive(Serialize, Deserialize)]
struct MessageDigest {
    algorithm: String,
    digest: String,
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{Signature, SignatureError};
    use crate::SigningKey;

    #[test]
    fn a_signature_is_of_one_component_by_one_key() {
        let (ada, _) = SigningKey::generate(b"").expect("a key");
        let (carla, _) = SigningKey::generate(b"").expect("a key");
        let bundle = Signature::make(&ada, b"a component").expect("signed");
        let signature = Signature::parse(&bundle).expect("a bundle");
        assert_eq!(signature.key(), Some(ada.public().id()));
        assert_eq!(signature.verify(b"a component", ada.public()), Ok(()));
        assert_eq!(
            signature.verify(b"a component", carla.public()),
            Err(SignatureError::Wrong(carla.public().id()))
        );
        assert!(matches!(
            signature.verify(b"a Component", ada.public()),
            Err(SignatureError::OfAnother { .. })
        ));
        // A digest that was made to fit does not help.
        let other = Signature::make(&carla, b"a Component").expect("signed");
        let mut forged: Value = serde_json::from_slice(&bundle).expect("JSON");
        let other: Value = serde_json::from_slice(&other).expect("JSON");
        forged["messageSignature"]["messageDigest"] =
            other["messageSignature"]["messageDigest"].clone();
        let forged = Signature::parse(forged.to_string().as_bytes()).expect("a bundle");
        assert_eq!(
            forged.verify(b"a Component", ada.public()),
            Err(SignatureError::Wrong(ada.public().id()))
        );
    }

    #[test]
    fn what_is_no_signature_of_a_component_says_so() {
        let material = r#""verificationMaterial":{"publicKey":{"hint":"x"}}"#;
        let media = r#""mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.2""#;
        for (bundle, says) in [
            (String::new(), "no Sigstore bundle"),
            (format!("{{{material}}}"), "missing field"),
            (
                format!(r#"{{"mediaType":"text/plain",{material}}}"#),
                "mediaType",
            ),
            (
                format!(r#"{{{media},{material},"dsseEnvelope":{{}}}}"#),
                "it signs a statement",
            ),
            (
                format!(r#"{{{media},{material},"messageSignature":{{"signature":"!"}}}}"#),
                "no base64",
            ),
            (" ".repeat(70_000), "more than"),
        ] {
            let error = Signature::parse(bundle.as_bytes()).expect_err("no signature");
            assert!(error.to_string().contains(says), "{error}");
        }
        let bundle = format!(r#"{{{media},{material},"messageSignature":{{"signature":""}}}}"#);
        let unnamed = Signature::parse(bundle.as_bytes()).expect("a bundle");
        assert_eq!(unnamed.key(), None);
    }
}
