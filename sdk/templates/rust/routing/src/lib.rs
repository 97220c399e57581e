//! Gives work to whoever of a team has the least to do.

use schemars::JsonSchema;
use serde::Deserialize;
use servicewright_sdk::directory;
use servicewright_sdk::routing::{self, Assignment, Call, Record, Routing};

/// Settings of __NAME__
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The team whose members are looked at.
    team: String,
}

servicewright_sdk::settings!(Settings);

struct __TYPE__;

servicewright_sdk::export_routing!(__TYPE__);

impl Routing for __TYPE__ {
    fn route(call: &Call, _: &Record) -> routing::Result<Assignment> {
        let settings: Settings = call.settings()?;
        let members = directory::members(&settings.team)?;
        let quietest = members.iter().min_by_key(|member| member.open_records);
        let reason = match quietest {
            Some(member) => format!("{} has {} open.", member.user, member.open_records),
            None => "Nobody is in the team yet.".to_owned(),
        };
        Ok(Assignment {
            team: settings.team,
            assignee: quietest.map(|member| member.user.clone()),
            reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use servicewright_sdk::directory::Member;
    use servicewright_sdk::routing::Routing;
    use servicewright_sdk::testing::{self, Desk};

    use super::__TYPE__;

    #[test]
    fn work_goes_to_who_has_the_least() {
        let busy = Member::new("ann").open_records(7);
        let desk = Desk::new().member("desk", busy);
        let _desk = desk.member("desk", Member::new("bob")).install();
        let call = testing::call(&json!({ "team": "desk" }));
        let answer = __TYPE__::route(&call, &testing::record("incident"));
        assert_eq!(
            answer.expect("an answer").assignee.as_deref(),
            Some("bob")
        );
    }
}
