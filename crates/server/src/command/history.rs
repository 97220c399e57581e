//! `wright pack history`: every change of what is in force, and the plugins that it bound.

use std::fmt::Write as _;

use anyhow::Result;
use model::configuration::Provenance;
use serde::Deserialize as _;
use serde_json::Value;

use super::{Outcome, block_on, list, print, text};
use crate::admin::{self, Ask};
use crate::cli::{DataArgument, Format};

pub(super) fn run(data: &DataArgument, format: Format) -> Result<Outcome> {
    let answer = block_on(admin::ask(&data.data, Ask::History))?;
    print(format, &answer, || {
        list(&answer, "changes").iter().map(told).collect()
    })?;
    Ok(Outcome::Done)
}

fn told(change: &Value) -> String {
    let (at, what, actor) = (
        text(change, "at"),
        text(change, "what"),
        text(change, "actor"),
    );
    let mut told = format!("{at}  {what}, by {actor}\n");
    for bound in list(change, "bindings") {
        let vouched = Provenance::deserialize(&bound["provenance"]);
        let vouched = vouched.map_or_else(|_| String::new(), |who| who.to_string());
        let (binding, component) = (text(bound, "binding"), text(bound, "component"));
        let _ = writeln!(told, "  {binding}  {component}  {vouched}");
        let grants = &bound["grants"];
        if grants.as_object().is_some_and(|grants| !grants.is_empty()) {
            let _ = writeln!(told, "    granted {grants}");
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::told;

    #[test]
    fn a_change_names_its_plugins_and_who_vouched_for_them() {
        let change = json!({
            "at": "2026-01-02T03:04:05Z", "actor": "operator", "what": "installed notes 1.0.0",
            "bindings": [{
                "binding": "router", "component": "sha256:00",
                "provenance": { "signed": { "by": "acme", "key": format!("sha256:{}", "0".repeat(64)) } },
                "grants": { "key-value": true },
            }],
        });
        assert_eq!(
            told(&change),
            "2026-01-02T03:04:05Z  installed notes 1.0.0, by operator\n  \
             router  sha256:00  signed by acme\n    granted {\"key-value\":true}\n"
        );
    }
}
