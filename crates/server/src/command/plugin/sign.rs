//! `wright plugin sign`: a signature beside a component.

use std::path::Path;

use anyhow::{Context as _, Result};
use plugin_registry::{Signature, SigningKey, file_beside};
use serde_json::json;

use super::{inspect, passphrase, read};
use crate::cli::Format;
use crate::command::print;
use crate::secrets::check_private;

/// The longest file of a key, in bytes.
const MAX_KEY_BYTES: u64 = 64 << 10;

pub(super) fn run(file: &Path, key: &Path, format: Format) -> Result<()> {
    let component = read(file)?;
    let inspection = inspect::inspected(file, &component)?;
    let key = private_key(key)?;
    let signature = Signature::make(&key, &component)?;
    let beside = file_beside(file);
    std::fs::write(&beside, signature)
        .with_context(|| format!("cannot write {}", beside.display()))?;
    let id = key.public().id();
    let signed = json!({ "component": inspection.digest, "key": id, "signature": beside });
    print(format, &signed, || {
        format!(
            "{}\nsigns {} with the key {id}",
            beside.display(),
            inspection.digest
        )
    })
}

fn private_key(file: &Path) -> Result<SigningKey> {
    let shown = file.display();
    let metadata = std::fs::metadata(file).with_context(|| format!("cannot read {shown}"))?;
    check_private(file, &metadata)?;
    let pem = plugin_registry::read(file, MAX_KEY_BYTES)
        .with_context(|| format!("cannot read {shown}"))?;
    SigningKey::from_pem(&pem, || passphrase("The passphrase of the key: "))
        .with_context(|| format!("cannot sign with {shown}"))
}
