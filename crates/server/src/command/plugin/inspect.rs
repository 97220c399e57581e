//! `wright plugin inspect`: what a component is, what it wants and what it exports, who signed it, and
//! what its author says of where it comes from.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use engine::port::{Inspection, Plugins as _};
use model::configuration::Provenance;
use model::hook::Hook;
use plugin_host::WasmPlugins;
use plugin_registry::{Metadata, Trust};
use serde::Serialize;

use super::{read, signature};
use crate::cli::Format;
use crate::command::print;
use crate::embedded;

/// All there is to say of a component in a file.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    inspection: Inspection,
    /// Who vouches for it; none where its signature does not count.
    provenance: Option<Provenance>,
    /// The same in words, or why its signature does not count.
    vouched: String,
    metadata: Metadata,
}

pub(super) fn run(file: &Path, trust: &Trust, format: Format) -> Result<()> {
    let component = read(file)?;
    let inspection = inspected(file, &component)?;
    let vouched = if embedded::is_plugin(&component) {
        Ok(Provenance::Shipped)
    } else {
        trust.vouch(&component, signature(file)?.as_deref())
    };
    let told = Told {
        inspection,
        vouched: match &vouched {
            Ok(who) => who.to_string(),
            Err(refusal) => engine::chain(refusal),
        },
        provenance: vouched.ok(),
        metadata: Metadata::of(&component),
    };
    print(format, &told, || told.text())
}

/// What a component is, wants and exports.
pub(super) fn inspected(file: &Path, component: &[u8]) -> Result<Inspection> {
    let host = WasmPlugins::new(plugin_host::Options::default())?;
    let inspected = host.inspect(component);
    inspected.with_context(|| file.display().to_string())
}

impl Told {
    fn text(&self) -> String {
        let mut text = told(&self.inspection);
        let _ = writeln!(text, "signed   {}", self.vouched);
        for (what, said) in &self.metadata.texts {
            let _ = writeln!(text, "{what:<8} {said}");
        }
        if let Some(dependencies) = &self.metadata.dependencies {
            let _ = writeln!(text, "built from {} packages", dependencies.len());
            for one in dependencies {
                let (name, version, source) = (&one.name, &one.version, &one.source);
                let _ = writeln!(text, "         {name} {version} ({source})");
            }
        }
        for note in &self.metadata.notes {
            let _ = writeln!(text, "note     {note}");
        }
        text
    }
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
