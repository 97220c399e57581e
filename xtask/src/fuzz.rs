//! `cargo xtask fuzz`: hands what strangers might write to the code that reads it, for a while.
//!
//! The targets are libFuzzer's, and `cargo fuzz` runs them too. Here only the workspace's own crates are
//! made to tell which paths they take: their dependencies stay as every other build has them, and any
//! toolchain will do. For that this program stands in for the compiler while cargo builds them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::shell::{self, say};
use crate::workspace;

/// The targets, each a file in `fuzz/fuzz_targets` with seeds in `fuzz/corpus`.
const TARGETS: [&str; 4] = ["manifest", "component", "answer", "icalendar"];
/// Tells this program that it stands in for the compiler.
const STAND_IN: &str = "XTASK_COMPILES_FOR_FUZZING";
/// What makes a crate tell libFuzzer which paths are taken.
const FLAGS: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Clink-dead-code",
    "-Ccodegen-units=1",
];

/// What to fuzz.
#[derive(Args)]
pub(crate) struct Options {
    /// One of the targets; all of them without
    #[arg(value_parser = TARGETS)]
    target: Option<String>,
    /// For how long each, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

impl Options {
    /// All targets, for so many seconds each.
    pub(crate) const fn all(seconds: u64) -> Self {
        Self {
            target: None,
            seconds,
        }
    }
}

/// Builds the targets and runs them, one after the other.
pub(crate) fn run(options: &Options) -> Result<()> {
    let only = options.target.as_deref();
    let targets: Vec<&str> = TARGETS
        .into_iter()
        .filter(|target| only.is_none_or(|only| only == *target))
        .collect();
    say(format!(
        "fuzzing {} for {} s each",
        targets.join(", "),
        options.seconds
    ));
    let target_dir = workspace::target_dir()?;
    build(&targets)?;
    for target in targets {
        let folder = target_dir.join("fuzz").join(target);
        let (found, seeds) = (folder.join("corpus"), folder.join("seeds"));
        std::fs::create_dir_all(&found)
            .with_context(|| format!("cannot create {}", found.display()))?;
        plant(target, &seeds)?;
        let program = target_dir.join("debug").join(format!("fuzz-{target}"));
        let mut command = Command::new(program);
        command
            .arg(&found)
            .arg(&seeds)
            .arg(format!("-max_total_time={}", options.seconds))
            .arg(format!("-artifact_prefix={}/", folder.display()))
            .args([
                "-max_len=4096",
                "-timeout=20",
                "-rss_limit_mb=2048",
                "-print_final_stats=1",
                "-verbosity=0",
            ]);
        shell::run(&mut command).with_context(|| {
            format!(
                "the target {target} found something; what it was given lies in {}",
                folder.display()
            )
        })?;
    }
    Ok(())
}

fn build(targets: &[&str]) -> Result<()> {
    let own = std::env::current_exe().context("this program does not know its own file")?;
    let mut command = workspace::cargo();
    // Beside the server, so that what both depend on has the features that it has there, and is built once.
    let packages = ["servicewright-fuzz", "servicewright-server"];
    command.args(["build", "--locked"]);
    command.args(packages.iter().flat_map(|package| ["-p", package]));
    for target in targets {
        command.args(["--bin", &format!("fuzz-{target}")]);
    }
    command
        .env("RUSTC_WORKSPACE_WRAPPER", own)
        .env(STAND_IN, "1");
    shell::run(&mut command)
}

/// Puts the seeds of a target where it reads them; those that are WebAssembly text, assembled.
fn plant(target: &str, seeds: &Path) -> Result<()> {
    std::fs::create_dir_all(seeds).with_context(|| format!("cannot create {}", seeds.display()))?;
    for seed in files(&workspace::root().join("fuzz/corpus").join(target))? {
        let explain = || format!("cannot plant {}", seed.display());
        let bytes = if seed.extension().is_some_and(|extension| extension == "wat") {
            wat::parse_file(&seed).with_context(explain)?
        } else {
            std::fs::read(&seed).with_context(explain)?
        };
        let name = seed.file_name().unwrap_or_default();
        std::fs::write(seeds.join(name), bytes).with_context(explain)?;
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let explain = || format!("cannot read {}", folder.display());
    let entries = std::fs::read_dir(folder).with_context(explain)?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    paths.collect::<std::io::Result<_>>().with_context(explain)
}

/// Whether cargo has started this program in the place of the compiler.
pub(crate) fn stands_in() -> bool {
    std::env::var_os(STAND_IN).is_some()
}

/// Compiles one crate of the workspace: the first argument is the compiler, the others are its own.
pub(crate) fn compile() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let compiler = arguments.next().context("no compiler is named")?;
    let arguments: Vec<_> = arguments.collect();
    let has = |text: &str| arguments.iter().any(|argument| argument == text);
    let mut command = Command::new(compiler);
    command.args(&arguments);
    // What runs while cargo builds has nobody to tell.
    if !has("proc-macro") && !has("build_script_build") && has("--crate-name") {
        command.args(FLAGS).args(["--cfg", "fuzzing"]);
    }
    let status = command.status().context("the compiler does not start")?;
    if !status.success() {
        bail!("the compiler ended with {status}");
    }
    Ok(())
}
