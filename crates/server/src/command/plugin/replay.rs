//! `wright plugin replay`: what plugins decided, asked again, and where the answers differ.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::Instant;
use model::id::BindingId;
use serde_json::Value;

use super::read;
use crate::admin::{self, Ask};
use crate::cli::{DataArgument, Format};
use crate::command::{Outcome, block_on, list, print, text};

/// How much of an answer is shown to people, in characters.
const SHOWN: usize = 400;

pub(super) fn run(
    binding: Option<BindingId>,
    component: Option<&Path>,
    since: Option<Instant>,
    data: &DataArgument,
    format: Format,
) -> Result<Outcome> {
    let component = component.map(read).transpose()?;
    let ask = Ask::Replay {
        binding: binding.clone(),
        component: component.map(|it| BASE64.encode(it)),
        since,
    };
    let replayed = block_on(admin::ask(&data.data, ask))?;
    if let Some(binding) = binding.filter(|_| number(&replayed["total"], "decisions") == 0) {
        let since = since.map_or_else(String::new, |since| format!(" since {since}"));
        bail!("the journal has no decision of a binding `{binding}`{since}");
    }
    print(format, &replayed, || told(&replayed))?;
    Ok(Outcome::done_if(
        number(&replayed["total"], "different") == 0,
    ))
}

fn number(of: &Value, name: &str) -> u64 {
    of[name].as_u64().unwrap_or_default()
}

fn told(replayed: &Value) -> String {
    let mut told = format!("{}\n", counts(&replayed["total"]));
    for of in list(replayed, "bindings") {
        let (binding, component) = (text(of, "binding"), text(of, "component"));
        let _ = writeln!(told, "{binding}  {component}\n  {}", counts(of));
        let reasons = of["reasons"].as_object().into_iter().flatten();
        for (_, reason) in reasons {
            let (count, why) = (number(reason, "count"), text(reason, "why"));
            let (record, position) = (text(reason, "record"), number(reason, "position"));
            let first = if count == 1 { "of" } else { "the first of" };
            let _ = writeln!(told, "  {count}: {why} ({first} {record} at {position})");
        }
    }
    let differences = list(replayed, "differences");
    for difference in differences {
        let part = |name| text(difference, name);
        let position = number(difference, "position");
        let (record, binding, hook) = (part("record"), part("binding"), part("hook"));
        let _ = writeln!(
            told,
            "{record} at {position}: {hook} of {binding}\n  then {}\n  now  {}",
            given(&difference["then"]),
            given(&difference["now"])
        );
    }
    let more = number(&replayed["total"], "different").saturating_sub(differences.len() as u64);
    if more > 0 && !differences.is_empty() {
        let _ = writeln!(told, "and {more} more that differ");
    }
    told
}

fn counts(of: &Value) -> String {
    let decisions = number(of, "decisions");
    let are = if decisions == 1 {
        "decision"
    } else {
        "decisions"
    };
    let mut told = format!("{decisions} {are}");
    for (name, said) in [
        ("asked", "asked again"),
        ("identical", "identical"),
        ("different", "different"),
        ("not_asked", "could not be asked"),
    ] {
        let _ = write!(told, ", {} {said}", number(of, name));
    }
    told
}

/// An answer, or why there was none, as far as it fits a line.
fn given(given: &Value) -> String {
    let told = given.to_string();
    let mut shown: String = told.chars().take(SHOWN).collect();
    if told.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::told;

    #[test]
    fn a_report_counts_and_shows_what_differs() {
        let counts = json!({
            "decisions": 4, "asked": 3, "identical": 2, "different": 1, "not_asked": 1,
        });
        let mut of = counts.clone();
        of["binding"] = json!("router");
        of["component"] = json!("sha256:00");
        of["reasons"] = json!({
            "component-missing": {
                "count": 1, "why": "the component is not stored", "record": "INC-3", "position": 9,
            },
        });
        let report = json!({
            "total": counts, "bindings": [of],
            "differences": [{
                "record": "INC-1", "position": 7, "hook": "routing", "binding": "router",
                "then": { "answer": { "assignment": { "team": "desk" } } },
                "now": { "failure": { "kind": "trap" } },
            }],
        });
        let line = "4 decisions, 3 asked again, 2 identical, 1 different, 1 could not be asked";
        assert_eq!(
            told(&report),
            format!(
                "{line}\nrouter  sha256:00\n  {line}\n  \
                 1: the component is not stored (of INC-3 at 9)\n\
                 INC-1 at 7: routing of router\n  \
                 then {{\"answer\":{{\"assignment\":{{\"team\":\"desk\"}}}}}}\n  \
                 now  {{\"failure\":{{\"kind\":\"trap\"}}}}\n"
            )
        );
    }
}
