//! What an operator trusts: a folder of public keys, each named as its file is, and whether what none
//! of them has signed may be used. The folder is read each time, so that a key that is put there or
//! taken away counts at once.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use model::configuration::Provenance;
use thiserror::Error;

use crate::key::{KeyError, PublicKey};
use crate::signature::{Signature, SignatureError};

/// The most keys that are trusted.
const MAX_KEYS: usize = 1_000;
/// The longest key file, in bytes.
const MAX_KEY_BYTES: u64 = 64 << 10;

/// Whether components that nobody trusted has signed may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsigned {
    /// They may.
    Allow,
    /// They may not.
    Refuse,
}

/// The operator's policy.
#[derive(Clone, Debug)]
pub struct Trust {
    signers: Option<PathBuf>,
    unsigned: Unsigned,
}

impl Default for Trust {
    /// Nobody in particular: whoever may install components may install any.
    fn default() -> Self {
        Self::new(None, None)
    }
}

/// The keys cannot be read.
#[derive(Debug, Error)]
pub enum TrustError {
    /// A file or the folder cannot be read.
    #[error("cannot read the trusted keys in {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of the folder holds no key.
    #[error("the trusted key {} cannot be used", path.display())]
    Key {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: KeyError,
    },
    /// There are too many.
    #[error("there are more than {MAX_KEYS} trusted keys in {}", .0.display())]
    TooMany(PathBuf),
}

/// Why a component may not be used.
#[derive(Debug, Error)]
pub enum Refusal {
    /// Its signature is none, or not one of it.
    #[error("its signature does not count")]
    Signature(#[from] SignatureError),
    /// Nobody has signed it.
    #[error("it is not signed, and only what is signed by {trusted} is used here")]
    Unsigned {
        /// Whom the operator trusts.
        trusted: String,
    },
    /// Somebody has whom the operator does not know.
    #[error(
        "it is signed with {key}, which is not trusted: only what is signed by {trusted} is used here"
    )]
    Stranger {
        /// The key, as far as the signature says it.
        key: String,
        /// Whom the operator trusts.
        trusted: String,
    },
    /// The keys cannot be read.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl Trust {
    /// Trusts the keys in a folder. Where a folder is named and nothing is said of what they have not
    /// signed, that is refused; where none is named, everything is allowed.
    pub fn new(signers: Option<PathBuf>, unsigned: Option<Unsigned>) -> Self {
        let usual = if signers.is_some() {
            Unsigned::Refuse
        } else {
            Unsigned::Allow
        };
        Self {
            signers,
            unsigned: unsigned.unwrap_or(usual),
        }
    }

    /// Who vouches for a component that came with these signatures, and by which of them: by one of a
    /// trusted key, where there is one.
    ///
    /// # Errors
    /// Where none of them counts, as of [`Trust::vouch`].
    pub fn vouch_by_any(
        &self,
        component: &[u8],
        signatures: &[Vec<u8>],
    ) -> Result<(Provenance, Option<Vec<u8>>), Refusal> {
        let mut best: Option<Result<_, Refusal>> = None;
        for signature in signatures {
            let vouched = self.vouch(component, Some(signature));
            let vouched = vouched.map(|provenance| (provenance, Some(signature.clone())));
            if let Ok((Provenance::Signed { .. }, _)) = vouched {
                return vouched;
            }
            if best.as_ref().is_none_or(Result::is_err) {
                best = Some(vouched);
            }
        }
        best.unwrap_or_else(|| Ok((self.vouch(component, None)?, None)))
    }

    /// Who vouches for a component.
    ///
    /// # Errors
    /// Where its signature is not one of it, whatever the policy says of unsigned ones; where nobody
    /// trusted signed it and that is refused; where the keys cannot be read.
    pub fn vouch(&self, component: &[u8], signature: Option<&[u8]>) -> Result<Provenance, Refusal> {
        let signers = self.signers()?;
        let Some(signature) = signature else {
            return match self.unsigned {
                Unsigned::Allow => Ok(Provenance::Unsigned),
                Unsigned::Refuse => {
                    let trusted = listed(&signers);
                    Err(Refusal::Unsigned { trusted })
                }
            };
        };
        let signature = Signature::parse(signature)?;
        let made = |key: &&PublicKey| signature.verify(component, key).is_ok();
        if let Some((name, key)) = signers.iter().find(|(_, key)| made(key)) {
            let (by, key) = (name.clone(), key.id());
            return Ok(Provenance::Signed { by, key });
        }
        signature.check_signed(component)?;
        let named = signature.key();
        if let Some(key) = named.filter(|named| signers.values().any(|key| key.id() == *named)) {
            return Err(SignatureError::Wrong(key).into());
        }
        match self.unsigned {
            Unsigned::Allow => Ok(Provenance::Stranger { key: named }),
            Unsigned::Refuse => Err(Refusal::Stranger {
                key: named.map_or_else(
                    || "a key that it does not name".to_owned(),
                    |key| format!("the key {key}"),
                ),
                trusted: listed(&signers),
            }),
        }
    }

    /// The trusted keys by name: of each file `NAME.pub` of the folder.
    ///
    /// # Errors
    /// Where the folder or one of its keys cannot be read: then none counts.
    pub fn signers(&self) -> Result<BTreeMap<String, PublicKey>, TrustError> {
        let Some(folder) = &self.signers else {
            return Ok(BTreeMap::new());
        };
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| TrustError::Read { path, source }
        };
        let mut signers = BTreeMap::new();
        for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
            let path = entry.map_err(failed(folder))?.path();
            let is_key = path.extension().is_some_and(|extension| extension == "pub");
            let Some(name) = path.file_stem().and_then(|name| name.to_str()) else {
                continue;
            };
            if !is_key || name.starts_with('.') {
                continue;
            }
            if signers.len() == MAX_KEYS {
                return Err(TrustError::TooMany(folder.clone()));
            }
            let key = read(&path)?;
            signers.insert(name.to_owned(), key);
        }
        Ok(signers)
    }
}

fn read(path: &Path) -> Result<PublicKey, TrustError> {
    let pem = crate::files::read(path, MAX_KEY_BYTES).map_err(|source| TrustError::Read {
        path: path.to_owned(),
        source,
    })?;
    PublicKey::from_pem(&pem).map_err(|source| TrustError::Key {
        path: path.to_owned(),
        source,
    })
}

/// The names of those who are trusted, for people.
fn listed(signers: &BTreeMap<String, PublicKey>) -> String {
    let names: Vec<_> = signers.keys().take(10).map(String::as_str).collect();
    match signers.len() {
        0 => "somebody the operator trusts (nobody yet)".to_owned(),
        all if all > names.len() => format!("{} and others", names.join(", ")),
        _ => names.join(" or "),
    }
}

#[cfg(test)]
mod tests {
    use model::configuration::Provenance;

    use super::{Refusal, Trust, Unsigned};
    use crate::{Signature, SigningKey};

    const COMPONENT: &[u8] = b"a component";

    /// A folder in which `acme` is trusted, its key, and a key of somebody else.
    fn keys() -> (tempfile::TempDir, SigningKey, SigningKey) {
        let folder = tempfile::tempdir().expect("a folder");
        let (acme, _) = SigningKey::generate(b"").expect("a key");
        let (other, _) = SigningKey::generate(b"").expect("a key");
        let file = folder.path().join("acme.pub");
        std::fs::write(file, acme.public().to_pem()).expect("written");
        std::fs::write(folder.path().join("README"), "not a key").expect("written");
        (folder, acme, other)
    }

    fn refused(trust: &Trust, signature: Option<&[u8]>) -> String {
        let refusal = trust.vouch(COMPONENT, signature).expect_err("refused");
        match refusal {
            Refusal::Signature(cause) => format!("{cause}"),
            other => other.to_string(),
        }
    }

    #[test]
    fn only_what_the_trusted_signed_is_used_once_they_are_named() {
        let (folder, acme, other) = keys();
        let trust = Trust::new(Some(folder.path().to_owned()), None);
        let good = Signature::make(&acme, COMPONENT).expect("signed");
        let key = acme.public().id();
        assert_eq!(
            trust.vouch(COMPONENT, Some(&good)).expect("trusted"),
            Provenance::Signed {
                by: "acme".to_owned(),
                key
            }
        );
        let said = refused(&trust, None);
        assert!(
            said.contains("not signed") && said.contains("by acme"),
            "{said}"
        );
        let foreign = Signature::make(&other, COMPONENT).expect("signed");
        let said = refused(&trust, Some(&foreign));
        assert!(said.contains(&other.public().id().to_string()), "{said}");
        assert!(said.contains("not trusted"), "{said}");

        std::fs::remove_file(folder.path().join("acme.pub")).expect("removed");
        let said = refused(&trust, Some(&good));
        assert!(said.contains("nobody yet"), "{said}");
    }

    #[test]
    fn a_signature_of_something_else_is_refused_even_where_none_is_needed() {
        let (folder, acme, other) = keys();
        let trust = Trust::new(Some(folder.path().to_owned()), Some(Unsigned::Allow));
        let elsewhere = Signature::make(&acme, b"another component").expect("signed");
        assert!(refused(&trust, Some(&elsewhere)).contains("one of them was changed since"));
        assert!(refused(&trust, Some(b"{}")).contains("no Sigstore bundle"));

        // One that says to be acme's, and is not.
        let good = Signature::make(&acme, COMPONENT).expect("signed");
        let foreign = Signature::make(&other, COMPONENT).expect("signed");
        let mut forged: serde_json::Value = serde_json::from_slice(&foreign).expect("JSON");
        let good: serde_json::Value = serde_json::from_slice(&good).expect("JSON");
        forged["verificationMaterial"] = good["verificationMaterial"].clone();
        let said = refused(&trust, Some(forged.to_string().as_bytes()));
        assert!(said.contains("was not made with the key"), "{said}");

        let key = Some(other.public().id());
        let provenance = trust.vouch(COMPONENT, Some(&foreign)).expect("allowed");
        assert_eq!(provenance, Provenance::Stranger { key });
        let provenance = trust.vouch(COMPONENT, None).expect("allowed");
        assert_eq!(provenance, Provenance::Unsigned);
    }

    #[test]
    fn of_several_signatures_the_trusted_one_counts() {
        let (folder, acme, other) = keys();
        let good = Signature::make(&acme, COMPONENT).expect("signed");
        let foreign = Signature::make(&other, COMPONENT).expect("signed");
        let trust = Trust::new(Some(folder.path().to_owned()), None);
        let both = [b"junk".to_vec(), foreign.clone(), good.clone()];
        let (provenance, signature) = trust.vouch_by_any(COMPONENT, &both).expect("trusted");
        assert_eq!(provenance.to_string(), "signed by acme");
        assert_eq!(signature, Some(good));
        assert!(trust.vouch_by_any(COMPONENT, &both[..2]).is_err());
        assert!(trust.vouch_by_any(COMPONENT, &[]).is_err());
        let lenient = Trust::default();
        let (provenance, signature) = lenient
            .vouch_by_any(COMPONENT, &both[..2])
            .expect("allowed");
        assert!(matches!(provenance, Provenance::Stranger { .. }));
        assert_eq!(signature, Some(foreign));
    }

    #[test]
    fn keys_that_cannot_be_read_are_no_reason_to_trust() {
        let (folder, ..) = keys();
        std::fs::write(folder.path().join("broken.pub"), "no key").expect("written");
        let trust = Trust::new(Some(folder.path().to_owned()), Some(Unsigned::Allow));
        assert!(refused(&trust, None).contains("broken.pub"));
        let nowhere = Trust::new(Some("/nowhere".into()), None);
        assert!(refused(&nowhere, None).contains("/nowhere"));
    }
}
