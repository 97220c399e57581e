//! `wright plugin list`: the bindings in use, and what each of their hooks has done.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;

use crate::admin::{self, Ask};
use crate::cli::{DataArgument, Format};
use crate::command::{block_on, list, print, text};

pub(super) fn run(data: &DataArgument, format: Format) -> Result<()> {
    let answer = block_on(admin::ask(&data.data, Ask::Bindings))?;
    print(format, &answer, || {
        let lines = list(&answer, "bindings").iter().map(line);
        lines.collect::<Vec<_>>().join("\n")
    })
}

fn line(binding: &Value) -> String {
    let head = format!(
        "{}  {}  pack {}{}{}",
        text(binding, "id"),
        text(binding, "component"),
        text(binding, "pack"),
        if binding["vouched"].is_string() {
            ", "
        } else {
            ""
        },
        text(binding, "vouched")
    );
    list(binding, "hooks").iter().fold(head, |told, hook| {
        let number = |name: &str| hook[name].as_u64().unwrap_or_default();
        let mut told = format!(
            "{told}\n  {}: calls {}",
            text(hook, "hook"),
            number("calls")
        );
        if number("calls") > 0 {
            let (failures, mean) = (number("failures"), number("mean_us"));
            let _ = write!(told, ", failed {failures}, {mean} µs each");
        }
        if text(hook, "breaker") != "closed" {
            let _ = write!(told, ", not asked at present: it failed too often");
        }
        told
    })
}
