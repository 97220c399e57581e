//! `wright plugin push`: a component and its signature into an OCI registry.

use std::path::Path;

use anyhow::{Context as _, Result};
use plugin_registry::{Metadata, Reference, Signature};
use serde_json::json;

use super::{inspect, read, signature};
use crate::cli::{Format, RegistryArguments};
use crate::command::{block_on, print};

pub(super) fn run(
    file: &Path,
    to: &Reference,
    registry: &RegistryArguments,
    format: Format,
) -> Result<()> {
    let component = read(file)?;
    let inspection = inspect::inspected(file, &component)?;
    let signature = signature(file)?;
    let key = match &signature {
        Some(bundle) => {
            let beside = plugin_registry::file_beside(file);
            let signed = Signature::parse(bundle).and_then(|signature| {
                signature.check_signed(&component)?;
                Ok(signature.key())
            });
            signed.with_context(|| format!("{} is no signature of it", beside.display()))?
        }
        None => None,
    };
    let is_signed = signature.is_some();
    let annotations = Metadata::of(&component).annotations();
    let pushing = plugin_registry::push(to, component, signature, annotations, registry.plain_http);
    let pinned = block_on(async { Ok(pushing.await?) })?.to_string();
    let pushed = json!({
        "reference": pinned, "component": inspection.digest, "signed": is_signed, "key": key,
    });
    if !is_signed {
        eprintln!(
            "{} is not signed: operators who ask for signatures will refuse it; `wright plugin sign` makes one",
            file.display()
        );
    }
    print(format, &pushed, || pinned.clone())
}
