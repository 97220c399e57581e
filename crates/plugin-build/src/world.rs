//! The world of one plugin: what its manifest says it answers at and asks for, as WIT for the tools
//! that make components of JavaScript and Python. Such a component imports its whole world, used or
//! not, so the world has no more in it than the manifest.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::Manifest;

/// The name of the world.
pub const WORLD: &str = "plugin";

/// The contract, and what it is without.
const CONTRACT: &str = include_str!("../../../wit/v1/plugin.wit");
const WASI_IO: &str = include_str!("../wit/wasi-io.wit");
const WASI_HTTP: &str = include_str!("../wit/wasi-http.wit");

/// The hooks of the contract: what each is called, and whether it may have what is beyond the desk.
const HOOKS: [(&str, bool); 6] = [
    ("approval", false),
    ("routing", false),
    ("service-level", false),
    ("delivery", true),
    ("webhook", true),
    ("schedule", true),
];

/// Capabilities that only integrations have, each named like the interface that it comes with.
const OF_INTEGRATIONS: [&str; 2] = ["key-value", "signing"];

/// Writes the world of a plugin into a folder, which is made where it is missing, together with the
/// packages that it refers to. Its name is [`WORLD`].
///
/// # Errors
/// Where the manifest names no hook or one that is not of the contract, or the folder cannot be written.
pub fn write_world(manifest: &Manifest, folder: &Path) -> Result<()> {
    let packages = folder.join("deps");
    std::fs::create_dir_all(&packages)
        .with_context(|| format!("cannot create {}", packages.display()))?;
    for (path, text) in [
        (folder.join("world.wit"), &*world(manifest)?),
        (packages.join("servicewright-plugin.wit"), CONTRACT),
        (packages.join("wasi-io.wit"), WASI_IO),
        (packages.join("wasi-http.wit"), WASI_HTTP),
    ] {
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn world(manifest: &Manifest) -> Result<String> {
    let hooks: Vec<_> = manifest.hooks().collect();
    let known = |hook: &&str| HOOKS.iter().any(|(name, _)| name == hook);
    if let Some(unknown) = hooks.iter().find(|hook| !known(hook)) {
        bail!(
            "the plugin.yaml names the hook `{unknown}`, which there is not; {}",
            hint()
        );
    }
    if hooks.is_empty() {
        bail!("the plugin.yaml names no hook; {}", hint());
    }
    let integrates = HOOKS
        .iter()
        .any(|(name, beyond)| *beyond && hooks.contains(name));
    let (contract, version) = contract()?;
    let of_contract = |name: &str| format!("{contract}/{name}@{version}");

    let mut imports = vec![
        of_contract("types"),
        of_contract("log"),
        of_contract("business-time"),
    ];
    if manifest.asks("directory") {
        imports.push(of_contract("directory"));
    }
    if integrates {
        imports.push(of_contract("commands"));
        let asked = OF_INTEGRATIONS.iter().filter(|name| manifest.asks(name));
        imports.extend(asked.map(|name| of_contract(name)));
        if manifest.asks("http") {
            imports.push("wasi:http/outgoing-handler@0.2.0".to_owned());
        }
    }

    let imports = imports.iter().map(|name| format!("  import {name};\n"));
    let exports = hooks
        .iter()
        .map(|hook| format!("  export {};\n", of_contract(hook)));
    let items: String = imports.chain(exports).collect();
    Ok(format!(
        "package servicewright:built;\n\nworld {WORLD} {{\n{items}}}\n"
    ))
}

/// The package that the contract is, and its version.
fn contract() -> Result<(&'static str, &'static str)> {
    CONTRACT
        .lines()
        .find_map(|line| {
            line.strip_prefix("package ")?
                .strip_suffix(';')?
                .split_once('@')
        })
        .context("the contract does not say its version")
}

fn hint() -> String {
    let names: Vec<_> = HOOKS.iter().map(|(name, _)| *name).collect();
    format!(
        "write `hooks: {{ NAME: true }}` with one of {}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::{WORLD, write_world};
    use crate::Manifest;

    /// The imports and exports of a plugin's world, each without package and version.
    fn world(yaml: &str) -> Result<(Vec<String>, Vec<String>), String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("plugin.yaml"), yaml).expect("written");
        let manifest = Manifest::read(folder.path()).expect("a manifest");
        let written = folder.path().join("build/world");
        write_world(&manifest, &written).map_err(|error| error.to_string())?;

        let mut resolve = wit_parser::Resolve::default();
        let (package, _) = resolve.push_dir(&written).expect("it is WIT");
        let world = resolve
            .select_world(&[package], Some(WORLD))
            .expect("there");
        let world = &resolve.worlds[world];
        let names = |keys: Vec<&wit_parser::WorldKey>| -> Vec<String> {
            let whole = keys.into_iter().map(|key| resolve.name_world_key(key));
            whole
                .map(|name| {
                    let (_, name) = name.split_once('/').expect("of a package");
                    name.split('@').next().expect("a name").to_owned()
                })
                .collect()
        };
        Ok((
            names(world.imports.keys().collect()),
            names(world.exports.keys().collect()),
        ))
    }

    #[test]
    fn a_pure_plugin_reaches_no_further_than_the_desk() {
        let asks = "capabilities: { http: true, key-value: true, signing: true }";
        let (imports, exports) =
            world(&format!("id: a\nhooks: {{ routing: true }}\n{asks}")).unwrap();
        assert_eq!(imports, ["types", "log", "business-time"]);
        assert_eq!(exports, ["routing"]);
        let asks = "capabilities: { directory: { team: true, user: false } }";
        let (imports, _) = world(&format!("id: a\nhooks: {{ approval: true }}\n{asks}")).unwrap();
        assert_eq!(imports, ["types", "log", "business-time", "directory"]);
    }

    #[test]
    fn an_integration_has_what_it_asks_for_and_no_more() {
        let hooks = "hooks: { delivery: true, webhook: true, schedule: false }";
        let (imports, exports) = world(&format!("id: a\n{hooks}")).unwrap();
        assert_eq!(imports, ["types", "log", "business-time", "commands"]);
        assert_eq!(exports, ["delivery", "webhook"]);
        let asks = "capabilities: { http: true, key-value: true, signing: true, commands: true }";
        let (imports, _) = world(&format!("id: a\n{hooks}\n{asks}")).unwrap();
        for wanted in ["key-value", "signing", "outgoing-handler"] {
            assert!(
                imports.iter().any(|name| name == wanted),
                "{wanted}: {imports:?}"
            );
        }
    }

    #[test]
    fn a_hook_that_there_is_not_is_named() {
        for (yaml, said) in [
            ("id: a", "names no hook"),
            ("id: a\nhooks: { routing: false }", "names no hook"),
            (
                "id: a\nhooks: { rooting: true }",
                "the hook `rooting`, which there is not",
            ),
        ] {
            let error = world(yaml).expect_err("it is wrong");
            assert!(
                error.contains(said) && error.contains("service-level"),
                "{error}"
            );
        }
    }
}
