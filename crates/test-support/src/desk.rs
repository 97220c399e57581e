//! The example desk: the people, teams, services and customers of `examples/directory`.

use serde_json::Value;

use crate::client::Client;
use crate::server::repository;

/// Puts the example directory in, in the name of an administrator.
pub async fn load_example_desk(administrator: &Client) {
    for kind in ["organisation", "contract", "user", "service", "team"] {
        let file = repository().join(format!("examples/directory/{kind}.json"));
        let text = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
        let things: Value = serde_json::from_str(&text).expect("the examples are JSON");
        for (id, thing) in things.as_object().expect("things by id") {
            let path = format!("/api/v1/directory/{kind}/{id}");
            let _ = administrator.put(&path, thing).await.expect(200);
        }
    }
}
