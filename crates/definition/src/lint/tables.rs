//! Tables that may give no answer, and rows that never get to.

use std::collections::BTreeSet;

use model::definition::Hit;

use super::Rules;
use crate::compile::{ServiceLevel, Table, Workflow};
use crate::expression::Expression;

pub(super) fn check_workflow(workflow: &Workflow, rules: &mut Rules<'_>) {
    for (id, table) in &workflow.tables {
        let rows = table.rows.iter().map(|row| (row.id.as_str(), &row.when));
        match table.hit {
            Hit::First => check(id.as_str(), rows, rules),
            Hit::Unique | Hit::Collect => side_by_side(table, rules),
        }
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

/// Rows of which each is asked: the same condition twice is one too many, and of rows only one of
/// which may hold, none may always do.
fn side_by_side(table: &Table, rules: &mut Rules<'_>) {
    let mut before = BTreeSet::new();
    for row in &table.rows {
        let (id, when) = (&row.id, row.when.source().trim());
        let path = ["tables", table.id.as_str(), "rows", id.as_str()];
        let unique = table.hit == Hit::Unique;
        if when == "false" {
            let message = format!("the row `{id}` never answers");
            rules.warning("row-never-matches", &path, message);
        } else if unique && when == "true" && table.rows.len() > 1 {
            let message =
                format!("the row `{id}` always holds, so that no other row is ever the only one");
            rules.error("overlapping-rows", &path, message);
        } else if unique && !before.insert(when) {
            let message = format!(
                "the row `{id}` has the condition of one before it: neither is ever the only one"
            );
            rules.error("overlapping-rows", &path, message);
        }
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
