//! What is asked: a record of 2 KiB in 20 fields, at a desk with one team of eight.

use std::collections::BTreeMap;

use engine::port::Member;
use model::Value;
use model::definition::Category;
use model::hook::RecordView;
use model::id::{FieldId, WorkflowId};

/// The desk's only team.
pub(crate) const TEAM: &str = "service-desk";

/// 20 fields, about 2 KiB.
pub(crate) fn record() -> RecordView {
    let now = model::Instant::from_millis(1_700_000_000_000);
    let fields: BTreeMap<FieldId, Value> = (0..20)
        .map(|number| {
            let id = FieldId::new(&format!("field_{number}")).expect("an id");
            (id, Value::Text("x".repeat(90)))
        })
        .collect();
    RecordView {
        id: None,
        workflow: WorkflowId::new("incident").expect("an id"),
        state: "new".to_owned(),
        category: Category::Open,
        version: 0,
        requester: None,
        assignee: None,
        team: None,
        opened_at: now,
        updated_at: now,
        state_since: now,
        fields,
    }
}

/// Who is in the team.
pub(crate) fn members() -> impl Iterator<Item = Member> {
    (0..8).map(|number| Member {
        user: format!("person-{number}"),
        skills: vec!["network".to_owned(), "storage".to_owned()],
        on_shift: number % 2 == 0,
        open_records: number,
        last_assigned_at: None,
        facts: serde_json::Map::new(),
    })
}
