//! `wright plugin keygen`: a pair of keys, one to sign with and one to give away.

use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use plugin_registry::SigningKey;
use serde_json::json;

use super::passphrase;
use crate::cli::Format;
use crate::command::print;

pub(super) fn run(name: &Path, format: Format) -> Result<()> {
    let (private, public) = (beside(name, "key"), beside(name, "pub"));
    for file in [&private, &public] {
        if file.exists() {
            let shown = file.display();
            bail!("{shown} is there already, and is not written over: what it signed needs it");
        }
    }
    let chosen = passphrase("A passphrase for the key: ")?;
    let is_asked = std::env::var_os("WRIGHT_PASSPHRASE").is_none();
    if is_asked && std::io::stdin().is_terminal() && passphrase("Once more: ")? != chosen {
        bail!("these are two passphrases: nothing was written");
    }
    let (key, sealed) = SigningKey::generate(&chosen)?;
    plugin_registry::write_private(&private, sealed.as_bytes())
        .with_context(|| format!("cannot write {}", private.display()))?;
    std::fs::write(&public, key.public().to_pem())
        .with_context(|| format!("cannot write {}", public.display()))?;
    let id = key.public().id();
    let drawn = json!({ "key": id, "private": private, "public": public });
    print(format, &drawn, || {
        format!(
            "{} signs: keep it to yourself\n{} is for those who check what you sign\nkey {id}",
            private.display(),
            public.display()
        )
    })
}

/// The file of this name with something more to its end, dots in the name included.
fn beside(name: &Path, extension: &str) -> std::path::PathBuf {
    let mut file = name.as_os_str().to_owned();
    file.push(".");
    file.push(extension);
    file.into()
}
