//! `wright plugin inspect`: what a component is, what it wants and what it exports.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use engine::port::{Inspection, Plugins as _};
use model::hook::Hook;
use plugin_host::WasmPlugins;

use super::read;
use crate::cli::Format;
use crate::command::print;

pub(super) fn run(file: &Path, format: Format) -> Result<()> {
    let bytes = read(file)?;
    let host = WasmPlugins::new(plugin_host::Options::default())?;
    let inspection = host
        .inspect(&bytes)
        .with_context(|| file.display().to_string())?;
    print(format, &inspection, || told(&inspection))
}

/// What there is to say of a component, for people.
pub(super) fn told(inspection: &Inspection) -> String {
    let hooks: Vec<_> = inspection.hooks.iter().copied().map(Hook::as_str).collect();
    let mut told = format!(
        "digest   {}\nsize     {} bytes\nhooks    {}\n",
        inspection.digest,
        inspection.bytes,
        hooks.join(", ")
    );
    for (place, import) in inspection.imports.iter().enumerate() {
        let label = if place == 0 { "imports " } else { "        " };
        let _ = writeln!(told, "{label} {import}");
    }
    if let Some(manifest) = &inspection.manifest {
        let manifest = serde_json::to_string_pretty(manifest).unwrap_or_default();
        let _ = writeln!(told, "manifest {manifest}");
    }
    told
}
