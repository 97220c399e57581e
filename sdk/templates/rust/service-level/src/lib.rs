//! Promises a time by priority.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use servicewright_sdk::Error;
use servicewright_sdk::service_level::{
    self, Agreement, Call, Goal, Record, ServiceLevel, Target,
};

/// Settings of __NAME__
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Hours for each target, by priority.
    hours: BTreeMap<String, u32>,
}

servicewright_sdk::settings!(Settings);

struct __TYPE__;

servicewright_sdk::export_service_level!(__TYPE__);

impl ServiceLevel for __TYPE__ {
    fn targets(
        call: &Call,
        record: &Record,
        agreement: &Agreement,
    ) -> service_level::Result<Vec<Target>> {
        let settings: Settings = call.settings()?;
        let priority: &str = record.field("priority")?;
        let Some(hours) = settings.hours.get(priority) else {
            let message = format!("there are no hours for the priority {priority}");
            return Err(Error::misconfigured(message));
        };
        let target = |id: &String| Target {
            id: id.clone(),
            goal: Goal::within(
                Duration::from_hours((*hours).into()),
                agreement.calendar.clone(),
            ),
            warn_at_percent: vec![75],
            reason: format!("{hours} hours for the priority {priority}."),
        };
        Ok(agreement.targets.iter().map(target).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use servicewright_sdk::service_level::{Agreement, ServiceLevel};
    use servicewright_sdk::testing;

    use super::__TYPE__;

    #[test]
    fn every_target_has_the_hours_of_the_priority() {
        let call = testing::call(&json!({ "hours": { "high": 4 } }));
        let record = testing::record("incident").with("priority", "high");
        let agreement = Agreement::new("gold", &["response", "resolution"], "office");
        let targets = __TYPE__::targets(&call, &record, &agreement).expect("an answer");
        assert_eq!(targets.len(), 2);
        assert_eq!(targets[0].reason, "4 hours for the priority high.");
    }
}
