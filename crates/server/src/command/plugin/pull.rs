//! `wright plugin pull`: a component and its signature from an OCI registry, as files.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use model::Digest;
use plugin_registry::{Reference, file_beside};
use serde_json::json;

use crate::cli::{Format, RegistryArguments};
use crate::command::{block_on, print};

pub(super) fn run(
    from: &Reference,
    out: Option<PathBuf>,
    registry: &RegistryArguments,
    format: Format,
) -> Result<()> {
    let pulling = plugin_registry::pull(from, registry.plain_http);
    let pulled = block_on(async { Ok(pulling.await?) })?;
    let file = out.unwrap_or_else(|| {
        let name = from.repository.rsplit('/').next().unwrap_or_default();
        PathBuf::from(name).with_extension("wasm")
    });
    write(&file, &pulled.component)?;
    let signature = match pulled.signatures.as_slice() {
        [] => None,
        [first, rest @ ..] => {
            let beside = file_beside(&file);
            write(&beside, first)?;
            if !rest.is_empty() {
                eprintln!(
                    "{} more signatures lie in the registry; `wright plugin install` looks at all of them",
                    rest.len()
                );
            }
            Some(beside)
        }
    };
    let (pinned, digest) = (pulled.pinned.to_string(), Digest::of(&pulled.component));
    let told = json!({
        "reference": pinned, "component": digest, "file": file, "signature": signature,
    });
    print(format, &told, || {
        let signed = match &signature {
            Some(beside) => format!("{}, not checked yet", beside.display()),
            None => "not signed".to_owned(),
        };
        format!("{pinned}\n{}  {digest}\n{signed}", file.display())
    })
}

/// Writes a file, and never over another one.
fn write(file: &Path, content: &[u8]) -> Result<()> {
    let shown = file.display();
    if file.exists() {
        let there = plugin_registry::read(file, content.len() as u64).unwrap_or_default();
        if there != content {
            bail!("{shown} is there already, and is another: say with --out where to put it");
        }
        return Ok(());
    }
    std::fs::write(file, content).with_context(|| format!("cannot write {shown}"))
}
