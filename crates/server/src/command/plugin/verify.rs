//! `wright plugin verify`: whether the signature beside a component is one of those that are trusted.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use model::Digest;
use plugin_registry::{PublicKey, Signature, Trust, Unsigned, file_beside};
use serde_json::json;

use super::{read, signature};
use crate::cli::Format;
use crate::command::print;

/// The longest file of a key, in bytes.
const MAX_KEY_BYTES: u64 = 64 << 10;

pub(super) fn run(
    file: &Path,
    key: Option<&Path>,
    signers: Option<PathBuf>,
    format: Format,
) -> Result<()> {
    let component = read(file)?;
    let beside = file_beside(file);
    let bundle = signature(file)?.ok_or_else(|| {
        anyhow!(
            "{} is not signed: there is no {}",
            file.display(),
            beside.display()
        )
    })?;
    let found = match (key, signers) {
        (Some(key), _) => by_key(&component, &bundle, key),
        (None, Some(folder)) => {
            let trust = Trust::new(Some(folder), Some(Unsigned::Refuse));
            let vouched = trust.vouch(&component, Some(&bundle));
            vouched.map(|who| who.to_string()).map_err(Into::into)
        }
        (None, None) => bail!("say whose signature it should be, with --key or --signers"),
    };
    let found = found.with_context(|| format!("{} does not vouch for it", beside.display()))?;
    let digest = Digest::of(&component);
    let verified = json!({ "component": digest, "signature": beside, "vouched": found });
    print(format, &verified, || format!("{digest} is {found}"))
}

fn by_key(component: &[u8], bundle: &[u8], key: &Path) -> Result<String> {
    let shown = key.display();
    let pem = plugin_registry::read(key, MAX_KEY_BYTES)
        .with_context(|| format!("cannot read {shown}"))?;
    let key =
        PublicKey::from_pem(&pem).with_context(|| format!("{shown} is no key to check with"))?;
    Signature::parse(bundle)?.verify(component, &key)?;
    Ok(format!("signed with the key {}", key.id()))
}
