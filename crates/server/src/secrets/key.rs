//! The key that secrets are sealed under: 256 bits, from a file that only its owner can read or from
//! the environment. It is never printed, and never kept with the data.

use std::fmt;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::Digest;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// The variable that holds the key where no file is named.
const VARIABLE: &str = "WRIGHT_SECRETS_KEY";
/// How many bytes a key has.
const BYTES: usize = 32;
/// How large a file with a key may be, in bytes.
const MAX_BYTES: u64 = 1_000;

/// A key.
#[derive(Clone)]
pub(crate) struct Key {
    bytes: [u8; BYTES],
    digest: Digest,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.name())
    }
}

impl Key {
    /// A key of 32 bytes, as 44 characters of base64.
    ///
    /// # Errors
    /// Where it is none; the text is not shown.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let bytes = BASE64.decode(text.trim()).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        let bytes: [u8; BYTES] = bytes.ok_or_else(|| {
            anyhow!("a key is {BYTES} random bytes in base64: `wright secret key` makes one")
        })?;
        let digest = Digest::of_parts(&[b"servicewright secrets key", &bytes]);
        Ok(Self { bytes, digest })
    }

    /// The key in a file that only its owner can read.
    ///
    /// # Errors
    /// Where it cannot be read, may be read by others, or holds none.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = super::read_private(path, MAX_BYTES)?;
        Self::parse(&text).with_context(|| format!("{} holds no key", path.display()))
    }

    /// The key of a file where one is named, else that of the environment, else none.
    ///
    /// # Errors
    /// As [`read`](Self::read), and where the environment holds something else.
    pub(crate) fn find(file: Option<&Path>) -> Result<Option<Self>> {
        match (file, std::env::var(VARIABLE)) {
            (Some(file), _) => Self::read(file).map(Some),
            (None, Ok(text)) if !text.is_empty() => Self::parse(&text)
                .with_context(|| format!("{VARIABLE} holds no key"))
                .map(Some),
            _ => Ok(None),
        }
    }

    /// Draws a key and writes it to a new file that only its owner can read.
    ///
    /// # Errors
    /// Where there is a file of this name already, or it cannot be written.
    pub(crate) fn make(path: &Path) -> Result<Self> {
        let shown = path.display();
        let bytes: [u8; BYTES] = random()?;
        let text = BASE64.encode(bytes);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options
            .open(path)
            .with_context(|| format!("cannot make {shown}"))?;
        writeln!(file, "{text}")
            .and_then(|()| file.sync_all())
            .with_context(|| format!("cannot write {shown}"))?;
        Self::parse(&text)
    }

    /// The key in base64.
    pub(crate) fn text(&self) -> String {
        BASE64.encode(self.bytes)
    }

    /// Tells it from others, and tells nothing else of it.
    pub(crate) const fn digest(&self) -> Digest {
        self.digest
    }

    /// The beginning of the digest, for people.
    pub(crate) fn name(&self) -> String {
        name(&self.digest)
    }

    /// Seals a value for what `about` says: opened for anything else, it does not open.
    pub(crate) fn seal(&self, about: &[u8], value: &[u8]) -> Result<Vec<u8>> {
        // Drawn anew each time. Of so few values as there are secrets, no two ever share one.
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut sealed = value.to_vec();
        self.cipher()
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(about),
                &mut sealed,
            )
            .map_err(|_| anyhow!("the value cannot be sealed"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what was sealed under this key for the same.
    pub(crate) fn open(&self, about: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        let Some((nonce, sealed)) = sealed.split_first_chunk::<NONCE_LEN>() else {
            bail!("it is too short to be a sealed secret");
        };
        let mut opened = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let value = self
            .cipher()
            .open_in_place(nonce, Aad::from(about), &mut opened);
        let length = value
            .map_err(|_| {
                anyhow!("it was sealed under another key, for another name, or is damaged")
            })?
            .len();
        opened.truncate(length);
        Ok(opened)
    }

    fn cipher(&self) -> LessSafeKey {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &self.bytes);
        LessSafeKey::new(key.expect("a key of this cipher has 32 bytes"))
    }
}

/// The beginning of the digest of a key, for people.
pub(crate) fn name(digest: &Digest) -> String {
    let text = digest.to_string();
    let hexadecimal = text.rsplit(':').next().unwrap_or_default();
    hexadecimal.chars().take(12).collect()
}

/// So many bytes at random.
pub(super) fn random<const COUNT: usize>() -> Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("there is no randomness: {error}"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::Key;

    fn key(text: &str) -> Key {
        Key::parse(text).expect("a key")
    }

    const ONE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const OTHER: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    #[test]
    fn what_is_sealed_opens_under_its_key_and_for_its_name_alone() {
        let (one, other) = (key(ONE), key(OTHER));
        let sealed = one.seal(b"chat token", b"open sesame").expect("sealed");
        assert!(!sealed.windows(6).any(|part| part == b"sesame"));
        assert_eq!(
            one.open(b"chat token", &sealed).expect("opened"),
            b"open sesame"
        );
        assert!(one.open(b"chat key", &sealed).is_err());
        assert!(other.open(b"chat token", &sealed).is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(one.open(b"chat token", &changed).is_err(), "{place}");
        }
        assert!(one.open(b"chat token", &sealed[..5]).is_err());
        let again = one.seal(b"chat token", b"open sesame").expect("sealed");
        assert_ne!(again, sealed);
    }

    #[test]
    fn a_key_is_never_shown() {
        let key = key(ONE);
        assert_eq!(format!("{key:?}"), format!("Key({})", key.name()));
        let error = Key::parse("hunter2").expect_err("no key");
        assert!(!format!("{error:#}").contains("hunter2"), "{error:#}");
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("key");
        let made = Key::make(&file).expect("made");
        assert_eq!(Key::read(&file).expect("read").digest(), made.digest());
        assert!(Key::make(&file).is_err(), "it is not written over");
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&file, open).expect("a mode");
        let error = Key::read(&file).expect_err("others may read it");
        assert!(error.to_string().contains("chmod 600"), "{error:#}");
    }
}
