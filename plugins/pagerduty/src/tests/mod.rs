//! What goes to PagerDuty and what comes from there, on a desk of the SDK.

mod hearing;
mod telling;

use serde_json::{Value as Json, json};

fn settings() -> Json {
    json!({
        "send": {
            "severities": { "p1": "critical", "p2": "error", "p3": "warning" },
            "states": { "in-progress": "acknowledge", "parked": "nothing" },
            "fields": { "impact": "Impact" },
            "link": "https://desk.example/records/{id}"
        },
        "receive": {
            "secret": "webhook",
            "previous_secret": "former",
            "transitions": {
                "acknowledged": { "name": "start" },
                "resolved": { "name": "resolve", "input": { "resolution_code": "fixed" } }
            },
            "create": {
                "workflow": "incident",
                "description": "description",
                "set": { "channel": "monitoring" },
                "urgencies": { "high": { "impact": "high" }, "low": { "impact": "low" } }
            }
        }
    })
}

#[test]
fn the_schema_says_the_defaults_that_hold() {
    let schema: Json = serde_json::from_str(include_str!("../../settings.schema.json")).unwrap();
    let least = json!({
        "send": {},
        "receive": { "secret": "s", "transitions": {}, "create": { "workflow": "incident" } }
    });
    let held: crate::settings::Settings = serde_json::from_value(least.clone()).unwrap();
    let mut said = least;
    for (at, properties) in [
        ("", "/properties"),
        ("/send", "/properties/send/properties"),
        ("/receive", "/properties/receive/properties"),
        (
            "/receive/create",
            "/properties/receive/properties/create/properties",
        ),
    ] {
        let properties = schema.pointer(properties).unwrap().as_object().unwrap();
        for (name, property) in properties {
            if let Some(default) = property.get("default") {
                said.pointer_mut(at).unwrap()[name] = default.clone();
            }
        }
    }
    let said: crate::settings::Settings = serde_json::from_value(said).unwrap();
    assert_eq!(format!("{said:?}"), format!("{held:?}"));
}
