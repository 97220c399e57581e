//! Asks a team where the impact is high, and nobody otherwise.

use schemars::JsonSchema;
use serde::Deserialize;
use servicewright_sdk::approval::{
    self, Approval, Approver, Call, Quorum, Record, Request, Stage, Verdict,
};

/// Settings of __NAME__
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The team that is asked.
    team: String,
}

servicewright_sdk::settings!(Settings);

struct __TYPE__;

servicewright_sdk::export_approval!(__TYPE__);

impl Approval for __TYPE__ {
    fn decide(call: &Call, record: &Record, _: &Request) -> approval::Result<Verdict> {
        let settings: Settings = call.settings()?;
        let impact: &str = record.field("impact")?;
        if impact != "high" {
            return Ok(Verdict::Approve(format!("The impact is {impact}.")));
        }
        let team = [Approver::team(settings.team)];
        let stage = Stage::new("impact", team, "The impact is high.").quorum(Quorum::Any);
        Ok(Verdict::Ask(vec![stage]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use servicewright_sdk::approval::{Approval, Request, Verdict};
    use servicewright_sdk::testing;

    use super::__TYPE__;

    #[test]
    fn nobody_is_asked_where_the_impact_is_low() {
        let call = testing::call(&json!({ "team": "cab" }));
        let record = testing::record("change").with("impact", "low");
        let answer = __TYPE__::decide(&call, &record, &Request::new("submit"));
        assert_eq!(
            answer.expect("an answer"),
            Verdict::Approve("The impact is low.".to_owned())
        );
    }
}
