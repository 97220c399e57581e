//! Notices: templates rendered from a record.

use definition::compile::Notice;
use model::Instant;
use model::command::Actor;
use model::record::Record;
use serde_json::json;

/// The longest subject and text, in characters.
const LONGEST_SUBJECT: usize = 500;
const LONGEST_TEXT: usize = 50_000;

/// The subject and the text of a notice: `{{ record.id }}`, `{{ resolution }}`, `{{ actor }}`, `{{ now }}`.
///
/// # Errors
/// What is wrong with the template, for who wrote it.
pub(crate) fn render(
    notice: &Notice,
    record: &Record,
    actor: &Actor,
    now: Instant,
) -> Result<(String, String), String> {
    let read = |name: &str| notice.subject.mentions(name) || notice.text.mentions(name);
    let mut context: serde_json::Map<_, _> = record
        .fields
        .iter()
        .filter(|(id, _)| read(id.as_str()))
        .map(|(id, value)| (id.to_string(), value.to_json()))
        .collect();
    context.insert(
        "record".to_owned(),
        json!({
            "id": record.id, "workflow": record.workflow, "state": record.state, "category": record.category,
            "requester": record.requester, "assignee": record.assignee, "team": record.team,
            "created_at": record.created_at, "updated_at": record.updated_at,
        }),
    );
    context.insert("actor".to_owned(), json!(actor.id()));
    context.insert("now".to_owned(), json!(now.to_seconds_text()));
    let subject = notice.subject.render(&context, LONGEST_SUBJECT);
    let subject = subject.map_err(|error| format!("the subject: {error}"))?;
    let text = notice.text.render(&context, LONGEST_TEXT);
    let text = text.map_err(|error| format!("the text: {error}"))?;
    Ok((subject.replace(['\r', '\n'], " "), text))
}
