//! `wright plugin build`: from a plugin's folder to a component with its manifest inside.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use engine::port::{Inspection, Plugins as _};
use model::id::BindingId;
use plugin_build::Manifest;
use plugin_host::WasmPlugins;
use serde_json::json;

use super::{inspect, read};
use crate::cli::Format;
use crate::command::print;

pub(super) fn run(
    folder: &Path,
    component: Option<PathBuf>,
    out: Option<PathBuf>,
    format: Format,
) -> Result<()> {
    let (file, inspection) = build(folder, component, out)?;
    let built = json!({ "file": file, "component": inspection });
    print(format, &built, || {
        format!("{}\n{}", file.display(), inspect::told(&inspection))
    })
}

/// Builds the plugin in a folder, or takes what something else has built of it; the file is written
/// only where the component is what its manifest says.
pub(super) fn build(
    folder: &Path,
    component: Option<PathBuf>,
    out: Option<PathBuf>,
) -> Result<(PathBuf, Inspection)> {
    let manifest = Manifest::read(folder)?;
    let component = match component {
        Some(built) => built,
        None => plugin_build::component(folder)?,
    };
    let bytes = plugin_build::describe(&read(&component)?, folder, &manifest)?;
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
