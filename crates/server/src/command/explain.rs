//! `wright explain`: why a record is where it is, in sentences.

use anyhow::Result;
use serde_json::Value;
use std::fmt::Write as _;

use super::{Outcome, block_on, list, print, text};
use crate::admin::{self, Ask};
use crate::cli::{ExplainArguments, Format};

pub(super) fn run(arguments: ExplainArguments, format: Format) -> Result<Outcome> {
    let record = arguments.record;
    let answer = block_on(admin::ask(&arguments.data.data, Ask::Explain { record }))?;
    print(format, &answer, || told(&answer))?;
    Ok(Outcome::Done)
}

fn told(explanation: &Value) -> String {
    let mut told = String::new();
    for sentence in list(explanation, "now").iter().filter_map(Value::as_str) {
        told.push_str(sentence);
        told.push('\n');
    }
    told.push('\n');
    for decision in list(explanation, "decisions") {
        let (at, by, what) = (
            text(decision, "at"),
            text(decision, "by"),
            text(decision, "what"),
        );
        let _ = writeln!(told, "{at}  {by}: {what}");
        if let Some(component) = decision.get("component").and_then(Value::as_str) {
            let micros = decision
                .get("micros")
                .and_then(Value::as_u64)
                .unwrap_or_default();
            let _ = writeln!(told, "    by the component {component}, in {micros} µs");
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::told;

    #[test]
    fn an_explanation_reads_like_a_story() {
        let explanation = json!({
            "record": "INC-1", "now": ["It is in `new`."],
            "decisions": [
                { "at": "2025-01-06T08:00:00Z", "by": "table priority", "what": "the row `high` answered." },
                { "at": "2025-01-06T08:00:00Z", "by": "plugin skills-router", "what": "asked who gets the work: network: the most skills.",
                  "component": "sha256:12", "micros": 31 },
            ],
        });
        expect![[r"
            It is in `new`.

            2025-01-06T08:00:00Z  table priority: the row `high` answered.
            2025-01-06T08:00:00Z  plugin skills-router: asked who gets the work: network: the most skills.
                by the component sha256:12, in 31 µs
        "]]
        .assert_eq(&told(&explanation));
    }
}
