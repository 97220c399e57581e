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
    let mut told = format!(
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
    let packed = text(binding, "packed");
    if !packed.is_empty() {
        let _ = write!(told, ", which brought {packed}");
    }
    let why = text(binding, "quarantine");
    if !why.is_empty() {
        let _ = write!(told, "\n  in quarantine: {why}");
    }
    hooks(binding, "  ", &mut told);
    if let Some(canary) = binding.get("canary").filter(|canary| canary.is_object()) {
        tried(canary, &mut told);
    }
    told
}

fn number(of: &Value, name: &str) -> u64 {
    of[name].as_u64().unwrap_or_default()
}

/// What each hook has done.
fn hooks(of: &Value, indent: &str, told: &mut String) {
    for hook in list(of, "hooks") {
        let calls = number(hook, "calls");
        let _ = write!(told, "\n{indent}{}: calls {calls}", text(hook, "hook"));
        if calls > 0 {
            let (p50, p99) = (number(hook, "p50_us"), number(hook, "p99_us"));
            let failures = number(hook, "failures");
            let _ = write!(told, ", failed {failures}, p50 {p50} µs, p99 {p99} µs");
        }
        if text(hook, "breaker") != "closed" {
            let _ = write!(told, ", not asked at present: it failed too often");
        }
    }
}

/// How the version does that is tried.
fn tried(canary: &Value, told: &mut String) {
    let (component, share) = (text(canary, "component"), number(canary, "share_percent"));
    let withdrawn = text(canary, "withdrawn");
    let _ = if withdrawn.is_empty() {
        write!(told, "\n  tried on {share}% of the calls: {component}")
    } else {
        write!(told, "\n  tried no more: {component}: {withdrawn}")
    };
    let _ = write!(told, "\n   ");
    for name in ["same", "different", "answered", "failed", "skipped"] {
        let _ = write!(told, " {name} {}", number(canary, name));
    }
    hooks(canary, "    ", told);
    for difference in list(canary, "differences") {
        let part = |name| text(difference, name);
        let (hook, record, what) = (part("hook"), part("record"), part("what"));
        let _ = write!(told, "\n    differed at {hook} of {record}: {what}");
    }
}
