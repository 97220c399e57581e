//! Tables that may give no answer, and rows that never get to.

use std::collections::BTreeSet;

use super::Rules;
use crate::compile::{ServiceLevel, Workflow};
use crate::expression::Expression;

pub(super) fn check_workflow(workflow: &Workflow, rules: &mut Rules<'_>) {
    for (id, table) in &workflow.tables {
        let rows = table.rows.iter().map(|row| (row.id.as_str(), &row.when));
        check(id.as_str(), rows, rules);
    }
}

pub(super) fn check_service_level(level: &ServiceLevel, rules: &mut Rules<'_>) {
    for (id, rows) in &level.tables {
        check(
            id.as_str(),
            rows.iter().map(|row| (row.id.as_str(), &row.when)),
            rules,
        );
    }
}

fn check<'t>(
    table: &str,
    rows: impl Iterator<Item = (&'t str, &'t Expression)>,
    rules: &mut Rules<'_>,
) {
    let mut before = BTreeSet::new();
    let mut last_resort = None;
    for (id, when) in rows {
        let path = ["tables", table, "rows", id];
        let when = when.source().trim();
        if let Some(last) = last_resort {
            let message = format!("the row `{id}` never answers: `{last}` before it always does");
            rules.error("row-never-matches", &path, message).help = Some(format!(
                "put it before `{last}`; in an adaptation, `place: {{ before: {last} }}`"
            ));
        } else if !before.insert(when) {
            let message =
                format!("the row `{id}` never answers: one before it has the same condition");
            rules.error("row-never-matches", &path, message);
        } else if when == "false" {
            rules.warning(
                "row-never-matches",
                &path,
                format!("the row `{id}` never answers"),
            );
        } else if when == "true" {
            last_resort = Some(id);
        }
    }
    if last_resort.is_none() {
        let message = format!("the table `{table}` may give no answer: no row always holds");
        rules
            .error("no-last-resort", &["tables", table, "rows"], message)
            .help = Some("end it with a row `when: \"true\"`".to_owned());
    }
}
