//! `cargo xtask build`: the plugins, then the server that carries them and the packs inside.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use plugin_build::{Manifest, TARGET, append, describe};

use crate::shell::{self, say};
use crate::{wasm_target, workspace};

/// The plugins that ship inside the server; each is a package of the same name in `plugins/`.
const PLUGINS: [&str; 11] = [
    "alertmanager",
    "change-advisory",
    "contract-hours",
    "github",
    "gitlab",
    "jira",
    "pagerduty",
    "skills-router",
    "slack",
    "teams",
    "webhook",
];

/// The plugin that only tests use, made of `tests/plugin-cases/`; the server does not carry it.
const CASES: &str = "hostile";

/// What to build.
#[derive(Args)]
pub(crate) struct Options {
    /// Optimised, into `target/release`
    #[arg(long)]
    pub(crate) release: bool,
    /// Only the plugins, into `plugins` of the target folder, where tests look for them
    #[arg(long, conflicts_with = "release")]
    pub(crate) plugins: bool,
}

/// Builds what the options say.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.plugins {
        plugins()
    } else {
        everything(options.release).map(drop)
    }
}

/// Builds plugins and server and returns the path of the finished `wright`.
pub(crate) fn everything(release: bool) -> Result<PathBuf> {
    plugins()?;
    server(release)
}

/// Builds the first-party plugins into `<target>/plugins`, each with its manifest inside, and those of
/// the tests into `<target>/plugin-cases`.
pub(crate) fn plugins() -> Result<()> {
    wasm_target::ensure()?;
    say(format!(
        "building {} plugins for {}",
        PLUGINS.len() + 1,
        TARGET
    ));
    let mut command = workspace::cargo();
    command.args([
        "build",
        "--locked",
        "--profile",
        "plugin",
        "--target",
        TARGET,
    ]);
    for plugin in PLUGINS.iter().chain([&CASES]) {
        command.args(["-p", plugin]);
    }
    shell::run(&mut command)?;
    let target = workspace::target_dir()?;
    let built = target.join(TARGET).join("plugin");
    let root = workspace::root();
    for plugin in PLUGINS {
        let source = root.join("plugins").join(plugin);
        finish(plugin, &built, &source, &target.join("plugins"))?;
    }
    let cases = root.join("tests").join("plugin-cases");
    finish(CASES, &built, &cases, &target.join("plugin-cases"))
}

/// Puts its manifest, found in its source folder, into a built component, and writes the whole.
fn finish(plugin: &str, built: &Path, source: &Path, finished: &Path) -> Result<()> {
    std::fs::create_dir_all(finished)
        .with_context(|| format!("cannot create {}", finished.display()))?;
    let component = built.join(plugin.replace('-', "_")).with_extension("wasm");
    let bytes = std::fs::read(&component)
        .with_context(|| format!("cannot read {}", component.display()))?;
    let manifest = Manifest::read(source)?;
    let bytes = describe(&bytes, source, &manifest)?;
    let whole = append(&bytes, &manifest).with_context(|| format!("plugin {plugin}"))?;
    let path = finished.join(plugin).with_extension("wasm");
    write_if_changed(&path, &whole)?;
    say(format!(
        "{} ({} KiB)",
        path.display(),
        whole.len().div_ceil(1024)
    ));
    Ok(())
}

/// Builds `wright`; its build script picks packs and plugins up.
fn server(release: bool) -> Result<PathBuf> {
    say("building `wright` with the shipped packs and plugins inside");
    let mut command = workspace::cargo();
    command.args([
        "build",
        "--locked",
        "-p",
        "servicewright-server",
        "--bin",
        "wright",
    ]);
    if release {
        command.arg("--release");
    }
    shell::run(&mut command)?;
    let profile = if release { "release" } else { "debug" };
    let name = format!("wright{}", std::env::consts::EXE_SUFFIX);
    let built = workspace::target_dir()?.join(profile).join(&name);
    let promised = workspace::root().join("target").join(profile).join(&name);
    if !same_file(&built, &promised) {
        copy_binary(&built, &promised)?;
    }
    say(format!(
        "{} is ready and needs nothing beside it",
        promised.display()
    ));
    Ok(promised)
}

/// Leaves a file of the same content untouched, so that cargo does not rebuild what embeds it.
fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Puts the new binary in place of the old by renaming, which works while the old one runs.
fn copy_binary(from: &Path, to: &Path) -> Result<()> {
    let explain = || format!("cannot copy {} to {}", from.display(), to.display());
    std::fs::create_dir_all(to.parent().unwrap_or(to)).with_context(explain)?;
    let beside = to.with_extension("new");
    std::fs::copy(from, &beside).with_context(explain)?;
    std::fs::rename(&beside, to).with_context(explain)
}

fn same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
