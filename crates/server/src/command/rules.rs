//! `wright pack rules`: what packs are held to.

use anyhow::{Result, bail};
use definition::lint::rules::{Rule, all, find, told};
use definition::source::nearest;

use super::{Outcome, print};
use crate::cli::Format;

pub(super) fn run(id: Option<&str>, format: Format) -> Result<Outcome> {
    let Some(id) = id else {
        let rules: Vec<&Rule> = all().collect();
        print(format, &rules, || list(&rules))?;
        return Ok(Outcome::Done);
    };
    let Some(rule) = find(id) else {
        let near = nearest(id, all().map(|rule| rule.id));
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        bail!("there is no rule `{id}`{near}");
    };
    print(format, rule, || told(rule))?;
    Ok(Outcome::Done)
}

/// A line a rule.
fn list(rules: &[&Rule]) -> String {
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    rules.iter().fold(String::new(), |lines, rule| {
        let Rule { id, finds, .. } = rule;
        lines + &format!("{id:width$}  {finds}\n")
    })
}
