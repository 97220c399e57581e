//! `wright plugin`: what a component is; keeping one; those in use.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use engine::port::{Inspection, Plugins as _};
use model::hook::Hook;
use model::id::BindingId;
use plugin_build::Manifest;
use plugin_host::WasmPlugins;
use serde_json::{Value, json};

use super::{Outcome, block_on, list, print, text};
use crate::admin::{self, Ask};
use crate::cli::{Format, PluginCommand};

/// The largest component, in bytes.
const MAX_BYTES: u64 = 64 << 20;

pub(super) fn run(command: PluginCommand, format: Format) -> Result<Outcome> {
    match command {
        PluginCommand::Inspect { file } => {
            let bytes = read(&file)?;
            let host = WasmPlugins::new(plugin_host::Options::default())?;
            let inspection = host
                .inspect(&bytes)
                .with_context(|| file.display().to_string())?;
            print(format, &inspection, || told(&inspection))?;
        }
        PluginCommand::Build { folder, out } => {
            let (file, inspection) = build(&folder, out)?;
            let built = json!({ "file": file, "component": inspection });
            print(format, &built, || {
                format!("{}\n{}", file.display(), told(&inspection))
            })?;
        }
        PluginCommand::Install { file, data } => {
            let bytes = read(&file)?;
            let ask = Ask::keep_component(&bytes);
            let kept = block_on(admin::ask(&data.data, ask))
                .with_context(|| file.display().to_string())?;
            print(format, &kept, || text(&kept, "digest").to_owned())?;
        }
        PluginCommand::List(data) => {
            let answer = block_on(admin::ask(&data.data, Ask::Bindings))?;
            print(format, &answer, || {
                let lines = list(&answer, "bindings").iter().map(line);
                lines.collect::<Vec<_>>().join("\n")
            })?;
        }
    }
    Ok(Outcome::Done)
}

/// Builds the plugin in a folder; the file is written only where the component is what its manifest says.
fn build(folder: &Path, out: Option<PathBuf>) -> Result<(PathBuf, Inspection)> {
    let manifest = Manifest::read(folder)?;
    let component = plugin_build::component(folder)?;
    let bytes = read(&component)?;
    let whole = plugin_build::append(&bytes, &manifest)?;
    let inspection = WasmPlugins::new(plugin_host::Options::default())?.inspect(&whole)?;
    let exports: BTreeSet<_> = inspection.hooks.iter().map(|hook| hook.as_str()).collect();
    let declared: BTreeSet<_> = manifest.hooks().collect();
    if exports != declared {
        let listed = |hooks: &BTreeSet<&str>| {
            let hooks: Vec<_> = hooks.iter().copied().collect();
            if hooks.is_empty() {
                "none".to_owned()
            } else {
                hooks.join(", ")
            }
        };
        bail!(
            "the component answers at these hooks: {}; its plugin.yaml says: {}",
            listed(&exports),
            listed(&declared)
        );
    }
    let id = BindingId::new(manifest.id()).context("the `id` of its plugin.yaml is none")?;
    let file = out.unwrap_or_else(|| folder.join(id.as_str()).with_extension("wasm"));
    std::fs::write(&file, &whole).with_context(|| format!("cannot write {}", file.display()))?;
    Ok((file, inspection))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let shown = file.display();
    let metadata = std::fs::metadata(file).with_context(|| format!("cannot read {shown}"))?;
    if metadata.len() > MAX_BYTES {
        bail!(
            "{shown} has {} bytes, at most {MAX_BYTES} are allowed",
            metadata.len()
        );
    }
    std::fs::read(file).with_context(|| format!("cannot read {shown}"))
}

fn told(inspection: &Inspection) -> String {
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

fn line(binding: &Value) -> String {
    let head = format!(
        "{}  {}  pack {}",
        text(binding, "id"),
        text(binding, "component"),
        text(binding, "pack")
    );
    list(binding, "hooks").iter().fold(head, |told, hook| {
        let number = |name: &str| hook[name].as_u64().unwrap_or_default();
        let mut told = format!(
            "{told}\n  {}: calls {}",
            text(hook, "hook"),
            number("calls")
        );
        if number("calls") > 0 {
            let (failures, mean) = (number("failures"), number("mean_us"));
            let _ = write!(told, ", failed {failures}, {mean} µs each");
        }
        if text(hook, "breaker") != "closed" {
            let _ = write!(told, ", not asked at present: it failed too often");
        }
        told
    })
}
