//! `wright plugin test`: the cases in a plugin's folder, asked in the real sandbox.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use plugin_test::{Case, Ran, Sandbox, Suite};
use serde_json::json;

use super::{build, read};
use crate::cli::Format;
use crate::command::{block_on, print};

/// Whether all cases passed.
pub(super) fn run(
    folder: &Path,
    component: Option<PathBuf>,
    named: &str,
    update: bool,
    format: Format,
) -> Result<bool> {
    let (suites, sandbox) = prepare(folder, component)?;
    let id = sandbox.inspection().digest;
    let tell = |line: String| {
        if format == Format::Text {
            println!("{line}");
        }
    };
    let (mut passed, mut failed, mut told) = (0, 0, Vec::new());
    tell(format!("asking {id}"));
    for suite in &suites {
        let mut outcomes = BTreeMap::new();
        for (name, case) in chosen(suite, named) {
            let ran = block_on(async { Ok(sandbox.run(suite, name, case).await) })?;
            let faults = faults(&ran, update && case.expect().is_none());
            if faults.is_empty() {
                passed += 1;
            } else {
                failed += 1;
            }
            let file = suite.path.file_name().unwrap_or_default().to_string_lossy();
            let result = if faults.is_empty() { "ok  " } else { "FAIL" };
            let micros = ran.micros;
            tell(format!("{result} {file}: {name} ({micros} µs)"));
            for fault in &faults {
                tell(format!("       {fault}"));
            }
            told.push(json!({
                "file": file, "case": name, "passed": faults.is_empty(),
                "faults": faults, "outcome": ran.outcome, "micros": ran.micros,
            }));
            outcomes.insert(name.clone(), ran.outcome);
        }
        if update && suite.keep(&outcomes)? {
            tell(format!("kept the answers of {}", suite.path.display()));
        }
    }
    if passed + failed == 0 {
        bail!("no case is called `{named}`");
    }
    let result = json!({ "component": id, "passed": passed, "failed": failed, "cases": told });
    print(format, &result, || {
        let verdict = if failed == 0 { "ok" } else { "FAILED" };
        format!("test result: {verdict}. {passed} passed; {failed} failed")
    })?;
    Ok(failed == 0)
}

/// The cases of a folder, and a sandbox with its component, built where none is given.
pub(super) fn prepare(folder: &Path, component: Option<PathBuf>) -> Result<(Vec<Suite>, Sandbox)> {
    let suites = plugin_test::read(folder)?;
    if suites.iter().all(|suite| suite.cases.is_empty()) {
        let tests = folder.join("tests");
        bail!(
            "there are no cases: write some to a file such as {}",
            tests.join("cases.yaml").display()
        );
    }
    let component = match component {
        Some(component) => component,
        None => build::build(folder, None, None)?.0,
    };
    let sandbox = Sandbox::new(read(&component)?)?;
    Ok((suites, sandbox))
}

/// The cases of a suite whose name has this in it.
pub(super) fn chosen<'a>(
    suite: &'a Suite,
    named: &'a str,
) -> impl Iterator<Item = &'a (String, Case)> {
    suite
        .cases
        .iter()
        .filter(move |(name, _)| name.contains(named))
}

/// Why a case does not pass; what is to be kept passes as it is.
fn faults(ran: &Ran, is_kept: bool) -> Vec<String> {
    if is_kept {
        return Vec::new();
    }
    let mut faults: Vec<String> = ran.differences.iter().map(ToString::to_string).collect();
    if !ran.expected {
        faults.push(format!(
            "nothing is expected; it came to {}. Write an `expect`, or keep this with --update",
            ran.outcome
        ));
    }
    faults
}
