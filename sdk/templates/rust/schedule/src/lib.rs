//! Brings open items of another system in: each becomes an incident, once.

use schemars::JsonSchema;
use serde::Deserialize;
use servicewright_sdk::{Error, Fields};
use servicewright_sdk::commands::Command;
use servicewright_sdk::http::Request;
use servicewright_sdk::schedule::{self, Call, Schedule};

/// Settings of __NAME__
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Where open items are listed; the binding has to grant its host.
    url: String,
}

servicewright_sdk::settings!(Settings);

/// An item as the other system lists it.
#[derive(Deserialize)]
struct Item {
    id: u64,
    summary: String,
}

struct __TYPE__;

servicewright_sdk::export_schedule!(__TYPE__);

impl Schedule for __TYPE__ {
    fn run(call: &Call) -> schedule::Result<Vec<Command>> {
        let settings: Settings = call.settings()?;
        let response = Request::get(settings.url).send()?;
        if !response.is_success() {
            let message = format!("the other side answered {}", response.status);
            return Err(Error::unavailable(message));
        }
        let items: Vec<Item> = serde_json::from_slice(&response.body)?;
        // An item that was brought in before is known by its reference, and none is created again.
        let create = |item: Item| {
            let fields = Fields::new().with("summary", item.summary);
            Command::create("incident", fields).reference(item.id.to_string())
        };
        Ok(items.into_iter().map(create).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use servicewright_sdk::http::Response;
    use servicewright_sdk::schedule::Schedule;
    use servicewright_sdk::testing::{self, Desk};

    use super::__TYPE__;

    #[test]
    fn items_become_incidents() {
        let list = r#"[{ "id": 7, "summary": "Printer on fire" }]"#;
        let desk = Desk::new().respond(move |_| Ok(Response::new(200, list)));
        let _desk = desk.install();
        let call = testing::call(&json!({ "url": "https://other.example/items" }));
        let commands = __TYPE__::run(&call).expect("an answer");
        assert_eq!(commands.len(), 1);
    }
}
