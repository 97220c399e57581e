//! `wright pack install` and `wright pack rollback`: a pack from a folder, or one that the binary
//! carries, put in force; and the version of it that was in force before.

use std::path::Path;

use anyhow::{Result, bail};
use model::id::PackId;
use serde_json::Value;

use super::{Outcome, block_on, print, text};
use crate::admin::{self, Ask};
use crate::cli::{DataArgument, Format, TrustArguments};
use crate::pack_files::PackFiles;

pub(super) fn run(
    pack: &str,
    data: &DataArgument,
    trust: &TrustArguments,
    format: Format,
) -> Result<Outcome> {
    let files = files(pack)?;
    let trust = trust.policy();
    let answer = block_on(admin::ask_with(
        &data.data,
        Ask::install(files),
        None,
        &trust,
    ))?;
    let warnings = text(&answer, "warnings");
    if !warnings.is_empty() {
        eprintln!("{warnings}");
    }
    let installed = answer.get("installed").cloned().unwrap_or_default();
    print(format, &installed, || told(&installed))?;
    Ok(Outcome::Done)
}

/// Puts the version of a pack in force again that was in force before.
pub(super) fn rollback(
    pack: PackId,
    data: &DataArgument,
    trust: &TrustArguments,
    format: Format,
) -> Result<Outcome> {
    let (ask, trust) = (Ask::RollbackPack { pack }, trust.policy());
    let answer = block_on(admin::ask_with(&data.data, ask, None, &trust))?;
    print(format, &answer, || told(&answer))?;
    Ok(Outcome::Done)
}

/// The files of the pack in this folder, or of the shipped one of this name.
pub(super) fn files(pack: &str) -> Result<PackFiles> {
    let folder = Path::new(pack);
    if folder.is_dir() {
        return Ok(PackFiles::read(folder)?);
    }
    if let Some(shipped) = PackFiles::shipped(pack) {
        return Ok(shipped);
    }
    bail!(
        "there is neither a folder {pack} nor a shipped pack of that name; shipped are: {}",
        PackFiles::shipped_names().join(", ")
    )
}

fn told(installed: &Value) -> String {
    let did = match installed.get("changed").and_then(Value::as_bool) {
        Some(false) => "is in force already",
        _ => "is in force",
    };
    let (pack, version) = (text(installed, "pack"), text(installed, "version"));
    format!("{pack} {version} {did}: {}", text(installed, "digest"))
}
