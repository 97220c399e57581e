//! The clocks of records, as judged then and as judged now, a part at a time.

use anyhow::Result;
use api::wire::judged::ServiceLevels;
use engine::{ClocksPage, ClocksQuery, EngineError, JudgedAgain};
use model::command::{Actor, Who};
use model::id::RecordId;
use serde_json::{Value, json};

use crate::desk::Running;

/// One record, or a part of all of them.
pub(super) async fn told(
    running: &Running,
    record: Option<RecordId>,
    query: ClocksQuery,
) -> Result<Value> {
    let engine = running.engine.clone();
    let actor = Actor {
        who: Who::Operator,
        ..Actor::timer()
    };
    let judged = move || -> Result<ClocksPage, EngineError> {
        match record {
            None => engine.clocks_again(&actor, &query),
            Some(id) => Ok(ClocksPage {
                records: vec![engine.judged_again(&actor, &id)?],
                next: None,
            }),
        }
    };
    let page = tokio::task::spawn_blocking(judged).await??;
    let each = |judged: &JudgedAgain| serde_json::to_value(ServiceLevels::from(judged));
    let records = page
        .records
        .iter()
        .map(each)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "records": records, "next": page.next }))
}
