//! What a component says of where it comes from, in the sections that `wasm-tools metadata` and `cargo
//! audit` read: version and description by its `plugin.yaml`, and of a Rust package its licence, its
//! source and the packages that it was built from.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value as Json, json};

use crate::manifest::{Manifest, push_section};
use crate::target::TARGET;

/// The section of dependencies, as `cargo auditable` calls it.
const DEPENDENCIES: &str = ".dep-v0";
/// The registry of which packages are said to be without more.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The component with what its folder says of it: what it is, and what it was built from.
///
/// # Errors
/// Where the folder holds a Rust package that cargo cannot describe.
pub fn describe(component: &[u8], folder: &Path, manifest: &Manifest) -> Result<Vec<u8>> {
    let mut whole = component.to_vec();
    let said = ["version", "description"].map(|what| (what, manifest.text(what)));
    let mut texts: BTreeMap<&str, String> = said
        .into_iter()
        .filter_map(|(what, text)| Some((what, text?.to_owned())))
        .collect();
    let package = folder.join("Cargo.toml");
    if package.exists() {
        let metadata = metadata(&package)?;
        let root = root(&metadata).context("cargo does not name the package that it describes")?;
        texts.extend(package_texts(root));
        let list = dependencies(&metadata, root);
        let mut packing = ZlibEncoder::new(Vec::new(), Compression::default());
        packing.write_all(list.to_string().as_bytes())?;
        push_section(&mut whole, DEPENDENCIES, &packing.finish()?);
    }
    for (what, text) in texts {
        push_section(&mut whole, what, text.as_bytes());
    }
    Ok(whole)
}

fn metadata(package: &Path) -> Result<Json> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let described = Command::new(cargo)
        .args(["metadata", "--format-version", "1"])
        .args(["--filter-platform", TARGET, "--manifest-path"])
        .arg(package)
        .stdin(Stdio::null())
        .output()
        .context("cannot run cargo")?;
    if !described.status.success() {
        let said = String::from_utf8_lossy(&described.stderr);
        bail!(
            "cargo cannot describe {}: {}",
            package.display(),
            said.trim()
        );
    }
    serde_json::from_slice(&described.stdout).context("cargo describes the package in no JSON")
}

fn root(metadata: &Json) -> Option<&Json> {
    package(metadata, metadata["resolve"]["root"].as_str()?)
}

fn package<'m>(metadata: &'m Json, id: &str) -> Option<&'m Json> {
    let packages = metadata["packages"].as_array()?;
    packages.iter().find(|package| package["id"] == id)
}

/// What a package's Cargo.toml says of it, by the names of the sections.
fn package_texts(package: &Json) -> BTreeMap<&'static str, String> {
    let text = |name: &str| Some(package[name].as_str()?.to_owned());
    let authors = package["authors"].as_array().into_iter().flatten();
    let authors: Vec<_> = authors.filter_map(Json::as_str).collect();
    let said = [
        ("licenses", text("license")),
        ("source", text("repository")),
        ("homepage", text("homepage")),
        (
            "authors",
            Some(authors.join(", ")).filter(|all| !all.is_empty()),
        ),
    ];
    said.into_iter()
        .filter_map(|(what, text)| Some((what, text?)))
        .collect()
}

/// The packages whose code is in the component, as `cargo auditable` lists them: what only builds it,
/// and what is run while it is built, is not.
fn dependencies(metadata: &Json, root: &Json) -> Json {
    let root = root["id"].as_str().unwrap_or_default();
    let mut found = BTreeSet::new();
    let mut waiting = vec![root];
    while let Some(id) = waiting.pop() {
        if found.insert(id) {
            waiting.extend(direct(metadata, id));
        }
    }
    let ids: Vec<&str> = found.into_iter().collect();
    let packages = ids.iter().filter_map(|id| {
        let package = package(metadata, id)?;
        let places = direct(metadata, id);
        let places = places.iter().filter_map(|id| ids.binary_search(id).ok());
        let mut entry = json!({
            "name": package["name"],
            "version": package["version"],
            "source": source(package["source"].as_str()),
            "dependencies": places.collect::<BTreeSet<_>>(),
        });
        if *id == root {
            entry["root"] = json!(true);
        }
        Some(entry)
    });
    json!({ "packages": packages.collect::<Vec<_>>() })
}

/// The packages that one is linked with.
fn direct<'m>(metadata: &'m Json, id: &str) -> Vec<&'m str> {
    let nodes = metadata["resolve"]["nodes"].as_array();
    let node = nodes.into_iter().flatten().find(|node| node["id"] == id);
    let dependencies = node.and_then(|node| node["deps"].as_array());
    let dependencies = dependencies.into_iter().flatten();
    let linked = dependencies.filter(|dependency| {
        let kinds = dependency["dep_kinds"].as_array();
        kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
    });
    let ids = linked.filter_map(|dependency| dependency["pkg"].as_str());
    ids.filter(|id| !is_macro(metadata, id)).collect()
}

/// Whether a package runs while others are compiled.
fn is_macro(metadata: &Json, id: &str) -> bool {
    let targets = package(metadata, id).and_then(|package| package["targets"].as_array());
    let mut kinds = targets
        .into_iter()
        .flatten()
        .flat_map(|target| target["kind"].as_array().into_iter().flatten());
    kinds.any(|kind| kind == "proc-macro")
}

fn source(source: Option<&str>) -> &'static str {
    match source {
        None => "local",
        Some(CRATES_IO) => "crates.io",
        Some(other) if other.starts_with("git+") => "git",
        Some(_) => "registry",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{dependencies, describe, package_texts, root};
    use crate::Manifest;

    fn metadata() -> Json {
        let library = json!([{ "kind": ["lib"] }]);
        let linked = |pkg: &str| json!({ "pkg": pkg, "dep_kinds": [{ "kind": null }] });
        json!({
            "packages": [
                { "id": "r", "name": "router", "version": "0.1.0", "source": null, "targets": library,
                  "license": "Apache-2.0", "authors": ["ada", "carla"], "repository": null },
                { "id": "s", "name": "serde", "version": "1.0.0", "targets": library,
                  "source": "registry+https://github.com/rust-lang/crates.io-index" },
                { "id": "d", "name": "serde_derive", "version": "1.0.0", "targets": [{ "kind": ["proc-macro"] }],
                  "source": "registry+https://github.com/rust-lang/crates.io-index" },
                { "id": "t", "name": "tests-only", "version": "2.0.0", "targets": library, "source": "git+x" },
            ],
            "resolve": { "root": "r", "nodes": [
                { "id": "r", "deps": [linked("s"), linked("d"), { "pkg": "t", "dep_kinds": [{ "kind": "dev" }] }] },
                { "id": "s", "deps": [linked("d")] },
                { "id": "d", "deps": [] },
                { "id": "t", "deps": [] },
            ] },
        })
    }

    #[test]
    fn only_what_is_in_the_component_is_listed() {
        let metadata = metadata();
        let root = root(&metadata).expect("a root");
        assert_eq!(
            dependencies(&metadata, root),
            json!({ "packages": [
                { "name": "router", "version": "0.1.0", "source": "local", "dependencies": [1], "root": true },
                { "name": "serde", "version": "1.0.0", "source": "crates.io", "dependencies": [] },
            ] })
        );
        let texts = package_texts(root);
        assert_eq!(texts["licenses"], "Apache-2.0");
        assert_eq!(texts["authors"], "ada, carla");
        assert!(!texts.contains_key("source"));
    }

    #[test]
    fn a_folder_without_a_package_says_what_its_manifest_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let manifest = "id: router\nversion: 1.2.3\n";
        std::fs::write(folder.path().join("plugin.yaml"), manifest).expect("written");
        let manifest = Manifest::read(folder.path()).expect("a manifest");
        let whole = describe(b"\0asm\x0d\0\x01\0", folder.path(), &manifest).expect("described");
        assert_eq!(whole[8..], *b"\x00\x0d\x07version1.2.3");
    }
}
