//! `wright plugin bench`: how long a plugin's answers take, beside what they may.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::test::{chosen, prepare};
use crate::cli::Format;
use crate::command::{block_on, print};

pub(super) fn run(
    folder: &Path,
    component: Option<PathBuf>,
    named: &str,
    calls: u32,
    format: Format,
) -> Result<()> {
    let (suites, sandbox) = prepare(folder, component)?;
    let mut told = Vec::new();
    for suite in &suites {
        for (name, case) in chosen(suite, named) {
            let mut micros = block_on(async {
                let mut micros = Vec::with_capacity(calls as usize);
                for _ in 0..calls {
                    micros.push(sandbox.ask(case).await.1);
                }
                Ok(micros)
            })?;
            micros.sort_unstable();
            let at = |share: usize| micros[(micros.len() - 1) * share / 100];
            told.push(json!({
                "case": name, "calls": calls,
                "p50_us": at(50), "p99_us": at(99), "max_us": at(100),
            }));
        }
    }
    if told.is_empty() {
        bail!("no case is called `{named}`");
    }
    print(format, &json!({ "cases": told }), || {
        let lines = told.iter().map(line);
        lines.collect::<Vec<_>>().join("\n")
    })
}

fn line(case: &Value) -> String {
    let number = |name: &str| case[name].as_u64().unwrap_or_default();
    format!(
        "{}: p50 {} µs, p99 {} µs, longest {} µs, of {} calls",
        case["case"].as_str().unwrap_or_default(),
        number("p50_us"),
        number("p99_us"),
        number("max_us"),
        number("calls")
    )
}
