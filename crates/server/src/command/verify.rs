//! `wright verify`: holds every record against its journal.

use anyhow::Result;
use serde_json::Value;
use std::fmt::Write as _;

use super::{Outcome, block_on, list, print, text};
use crate::admin::{self, Ask};
use crate::cli::{DataArgument, Format};

pub(super) fn run(data: &DataArgument, format: Format) -> Result<Outcome> {
    let report = block_on(admin::ask(&data.data, Ask::Verify))?;
    print(format, &report, || told(&report))?;
    Ok(Outcome::done_if(number(&report, "problem_count") == 0))
}

fn number(report: &Value, name: &str) -> u64 {
    report.get(name).and_then(Value::as_u64).unwrap_or_default()
}

fn told(report: &Value) -> String {
    let found = match number(report, "problem_count") {
        0 => "every journal folds to its record, and the chain of hashes is whole".to_owned(),
        1 => "1 thing is wrong".to_owned(),
        count => format!("{count} things are wrong"),
    };
    let mut told = format!(
        "{} records, {} entries: {found}\n",
        number(report, "records"),
        number(report, "entries")
    );
    for problem in list(report, "problems") {
        let what = text(problem, "what");
        match problem.get("record").and_then(Value::as_str) {
            Some(record) => {
                let _ = writeln!(told, "  {record}: {what}");
            }
            None => {
                let _ = writeln!(told, "  {what}");
            }
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::told;

    #[test]
    fn a_report_counts_and_names() {
        let whole = json!({ "records": 2, "entries": 5, "problem_count": 0, "problems": [] });
        assert!(told(&whole).starts_with("2 records, 5 entries: every journal folds"));
        let broken = json!({
            "records": 2, "entries": 5, "problem_count": 1,
            "problems": [{ "record": "INC-1", "what": "it is at version 2, its journal at 3" }],
        });
        assert_eq!(
            told(&broken),
            "2 records, 5 entries: 1 thing is wrong\n  INC-1: it is at version 2, its journal at 3\n"
        );
    }
}
