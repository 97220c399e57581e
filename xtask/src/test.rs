//! `cargo xtask test`: everything CI runs, one after the other; the first failure ends it.

use std::process::Stdio;
use std::time::Instant;

use anyhow::Result;

use crate::shell::{self, say};
use crate::{build, fuzz, sdk, workspace};

/// Runs the checks, cheapest first. The tests come last, so that their summary is what one sees.
pub(crate) fn run() -> Result<()> {
    let begun = Instant::now();
    step(&begun, "1/7 formatting");
    shell::run(workspace::cargo().args(["fmt", "--all", "--check"]))?;
    step(
        &begun,
        "2/7 licences, sources and advisories of the dependencies",
    );
    dependencies()?;
    step(&begun, "3/7 clippy, warnings are errors");
    shell::run(workspace::cargo().args([
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    step(&begun, "4/7 plugins and server, as shipped");
    build::everything(false)?;
    step(
        &begun,
        "5/7 the SDKs for JavaScript and Python, and their templates",
    );
    sdk::test()?;
    step(&begun, "6/7 fuzzing, ten seconds each");
    fuzz::run(&fuzz::Options::all(10))?;
    step(
        &begun,
        "7/7 tests: units, stories, generated documents against the code, examples in the docs",
    );
    shell::run(workspace::cargo().args(["test", "--locked", "--workspace", "--doc"]))?;
    shell::run(workspace::cargo().args([
        "test",
        "--locked",
        "--workspace",
        "--lib",
        "--bins",
        "--tests",
        // Its programs run for as long as they are let.
        "--exclude",
        "servicewright-fuzz",
    ]))
}

fn step(begun: &Instant, what: &str) {
    say(format!(
        "step {what} ({} s so far)",
        begun.elapsed().as_secs()
    ));
}

/// `cargo deny`. The advisories need a database from the network: where it cannot be reached the
/// rest is still checked, and what was left out is said.
fn dependencies() -> Result<()> {
    let has_it = workspace::cargo()
        .args(["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !has_it {
        say("installing cargo-deny, which checks licences and sources of the dependencies");
        // Unoptimised: it runs for a second, and compiles in half the time.
        shell::run(workspace::cargo().args(["install", "--locked", "--debug", "cargo-deny"]))?;
    }
    shell::run(workspace::cargo().args([
        "deny",
        "--workspace",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]))?;
    let fetched = workspace::cargo()
        .args(["deny", "fetch", "db"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if fetched.is_ok_and(|status| status.success()) {
        shell::run(workspace::cargo().args(["deny", "--workspace", "check", "advisories"]))
    } else {
        say(
            "the advisory database cannot be fetched from here: known vulnerabilities were NOT checked",
        );
        Ok(())
    }
}
