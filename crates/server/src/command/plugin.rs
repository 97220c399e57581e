//! `wright plugin`: what a component is; keeping one; those in use.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use engine::port::{Inspection, Plugins as _};
use model::hook::Hook;
use plugin_host::WasmPlugins;
use serde_json::Value;

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
            "{told}\n  {}: {} calls",
            text(hook, "hook"),
            number("calls")
        );
        if number("calls") > 0 {
            let (failures, mean) = (number("failures"), number("mean_us"));
            let _ = write!(told, ", {failures} failed, {mean} µs each");
        }
        if text(hook, "breaker") != "closed" {
            let _ = write!(told, ", not asked at present: it failed too often");
        }
        told
    })
}
