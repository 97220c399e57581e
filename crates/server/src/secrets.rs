//! The secrets of plugins: from the store, where they are sealed ([`vault`]), from a file that only its
//! owner can read, or from the environment. Their values are never printed.

mod key;
mod vault;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use model::id::{BindingId, SecretId};
use plugin_host::{SecretValue, Secrets};

pub(crate) use key::Key;
pub(crate) use vault::Vault;

/// The longest file read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// By binding, by name.
type Values = BTreeMap<String, BTreeMap<String, String>>;

/// Where secrets come from: the file's value where it has one, and `WRIGHT_SECRET_<BINDING>__<NAME>`
/// otherwise, in upper case with `_` for `-`.
///
/// # Errors
/// Where the file cannot be read, may be read by others, or is not right.
pub(crate) fn source(file: Option<&Path>) -> Result<Secrets> {
    let values = file.map(read).transpose()?.unwrap_or_default();
    Ok(Arc::new(move |binding: &BindingId, secret: &SecretId| {
        let in_file = values
            .get(binding.as_str())
            .and_then(|secrets| secrets.get(secret.as_str()));
        let value = match in_file {
            Some(value) => value.clone(),
            None => std::env::var(variable(binding, secret)).ok()?,
        };
        Some(SecretValue::new(value.into_bytes()))
    }))
}

/// No id has two of the joints in a row, so that two pairs of them never share a variable.
fn variable(binding: &BindingId, secret: &SecretId) -> String {
    format!("WRIGHT_SECRET_{binding}__{secret}")
        .replace('-', "_")
        .to_uppercase()
}

/// The secrets of a vault, and where it has none, those of another source.
pub(crate) fn before(vault: Arc<Vault>, others: Secrets) -> Secrets {
    Arc::new(move |binding: &BindingId, secret: &SecretId| {
        vault
            .value(binding, secret)
            .or_else(|| others(binding, secret))
    })
}

fn read(path: &Path) -> Result<Values> {
    let shown = path.display();
    let text = read_private(path, MAX_BYTES)?;
    let is_json = path
        .extension()
        .is_some_and(|extension| extension == "json");
    // What is wrong is told by place alone: an excerpt would show a secret.
    if is_json {
        serde_json::from_str(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            anyhow::anyhow!("{shown}, line {line} column {column}: not secrets by binding and name")
        })
    } else {
        toml::from_str(&text).map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| {
                text[..span.start.min(text.len())].lines().count().max(1)
            });
            anyhow::anyhow!("{shown}, near line {line}: not secrets as `binding.name = \"value\"`")
        })
    }
}

/// The text of a file that only its owner can read.
fn read_private(path: &Path, max_bytes: u64) -> Result<String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?;
    check_private(path, &metadata)?;
    if metadata.len() > max_bytes {
        bail!("{shown} is longer than {max_bytes} bytes");
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))
}

/// Whether a file of secrets is its owner's alone.
#[cfg(unix)]
pub(crate) fn check_private(path: &Path, metadata: &std::fs::Metadata) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = metadata.permissions().mode();
    if mode & 0o077 != 0 {
        let shown = path.display();
        bail!(
            "{shown} holds secrets and others than its owner may use it: run `chmod 600 {shown}`"
        );
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn check_private(_: &Path, _: &std::fs::Metadata) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use model::id::{BindingId, SecretId};
    use plugin_host::SecretValue;

    use super::source;

    fn file(mode: u32, text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        let permissions = std::fs::Permissions::from_mode(mode);
        file.as_file().set_permissions(permissions).expect("a mode");
        file
    }

    #[test]
    fn a_secret_is_found_by_binding_and_name() {
        let file = file(0o600, "webhook.signing-key = \"open sesame\"\n");
        let secrets = source(Some(file.path())).expect("secrets");
        let binding = BindingId::new("webhook").expect("a binding");
        let id = |text| SecretId::new(text).expect("a secret's id");
        let found = secrets(&binding, &id("signing-key"));
        assert_eq!(found, Some(SecretValue::new(&b"open sesame"[..])));
        assert_eq!(secrets(&binding, &id("other")), None);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let file = file(0o640, "webhook.signing-key = \"open sesame\"\n");
        let error = source(Some(file.path())).map(drop).expect_err("refused");
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_without_its_secrets() {
        let file = file(0o600, "webhook.signing-key = \"open sesame\n");
        let error = source(Some(file.path())).map(drop).expect_err("broken");
        assert!(!format!("{error:#}").contains("sesame"), "{error:#}");
    }
}
