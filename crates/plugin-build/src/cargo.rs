//! Running cargo on a plugin's package.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value as Json;

use crate::target::{TARGET, is_installed};

/// Builds the package in a folder, optimised, and returns where its component lies. What cargo has to
/// say goes to standard error as it comes.
///
/// # Errors
/// Where there is no package, the toolchain lacks the target, it does not compile, or what comes of it
/// is no component.
pub(crate) fn component(folder: &Path) -> Result<PathBuf> {
    let package = folder.join("Cargo.toml");
    let package = package
        .canonicalize()
        .with_context(|| format!("there is no {}", package.display()))?;
    if !is_installed(folder) {
        bail!(
            "this Rust toolchain cannot build for {TARGET}: run `rustup target add {TARGET}` first"
        );
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut building = Command::new(cargo)
        .args(["build", "--release", "--target", TARGET])
        .args(["--message-format", "json-render-diagnostics"])
        .arg("--manifest-path")
        .arg(&package)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let told = building.stdout.take().context("cargo says nothing")?;
    let mut component = None;
    for line in BufReader::new(told).lines() {
        component = built(&line?, &package).or(component);
    }
    let ended = building.wait().context("cannot run cargo")?;
    if !ended.success() {
        bail!("the plugin does not compile; cargo says why above");
    }
    component.context(
        "cargo built no component: the Cargo.toml needs `[lib]` with `crate-type = [\"cdylib\", \"rlib\"]`",
    )
}

/// The component that a message of cargo tells of, where it is of this package.
fn built(line: &str, package: &Path) -> Option<PathBuf> {
    let message: Json = serde_json::from_str(line).ok()?;
    let is_ours = message["reason"] == "compiler-artifact"
        && message["manifest_path"].as_str().map(Path::new) == Some(package);
    let files = message["filenames"].as_array().filter(|_| is_ours)?;
    let mut components = files.iter().filter_map(Json::as_str).map(PathBuf::from);
    components.find(|file| {
        file.extension()
            .is_some_and(|extension| extension == "wasm")
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::built;

    #[test]
    fn a_component_is_known_from_what_cargo_says() {
        let said = r#"{"reason":"compiler-artifact","manifest_path":"/p/Cargo.toml","filenames":["/t/libp.rlib","/t/p.wasm"]}"#;
        let found = built(said, Path::new("/p/Cargo.toml"));
        assert_eq!(found.as_deref(), Some(Path::new("/t/p.wasm")));
        assert_eq!(built(said, Path::new("/other/Cargo.toml")), None);
        assert_eq!(built("not json", Path::new("/p/Cargo.toml")), None);
    }
}
