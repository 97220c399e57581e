//! Notices: templates rendered from a record.

use definition::compile::Notice;
use model::Instant;
use model::command::Actor;
use model::id::StageId;
use model::record::Record;
use serde_json::{Value as Json, json};

/// The longest subject and text, in characters.
const LONGEST_SUBJECT: usize = 500;
const LONGEST_TEXT: usize = 50_000;

/// The subject and the text of a notice: `{{ record.id }}`, `{{ record.url }}`, `{{ resolution }}`,
/// `{{ approval.due }}`, `{{ actor }}`, `{{ now }}`. `records_at` is the address of people's records.
///
/// # Errors
/// What is wrong with the template, for who wrote it.
pub(crate) fn render(
    notice: &Notice,
    record: &Record,
    actor: &Actor,
    now: Instant,
    records_at: Option<&str>,
    stage: Option<&StageId>,
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
            "url": records_at.map(|address| format!("{address}/records/{}", record.id)),
        }),
    );
    // A field of that name counts more.
    let approval = context.entry("approval");
    approval.or_insert_with(|| self::approval(record, stage));
    context.insert("actor".to_owned(), json!(actor.id()));
    context.insert("now".to_owned(), json!(now.to_seconds_text()));
    let subject = notice.subject.render(&context, LONGEST_SUBJECT);
    let subject = subject.map_err(|error| format!("the subject: {error}"))?;
    let text = notice.text.render(&context, LONGEST_TEXT);
    let text = text.map_err(|error| format!("the text: {error}"))?;
    Ok((subject.replace(['\r', '\n'], " "), text))
}

/// What a notice may say of a stage that is open, the first one where none is named: which, who is
/// still asked, how many approvals it needs, and until when. Nothing where none is.
fn approval(record: &Record, named: Option<&StageId>) -> Json {
    let open = || record.approval.iter().flat_map(|it| &it.stages);
    let stage = open().find(|stage| named == Some(&stage.plan.id));
    let Some(stage) = stage.or_else(|| open().next()) else {
        return Json::Null;
    };
    let mut asked = stage.entitled.iter().collect::<Vec<_>>();
    asked.retain(|person| !stage.votes.contains_key(*person));
    json!({
        "stage": stage.plan.id, "asked": asked, "needed": stage.needed,
        "due": stage.expires().map(Instant::to_seconds_text),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use definition::compile::Notice;
    use definition::template::Template;
    use model::Instant;
    use model::command::Actor;
    use model::record::Record;
    use serde_json::json;

    use super::render;

    fn record(more: &serde_json::Value) -> Record {
        let mut record = json!({
            "id": "CHG-7", "workflow": "change", "definition": model::Digest::default(), "state": "asked",
            "category": "waiting", "version": 1, "created_at": Instant::EPOCH, "updated_at": Instant::EPOCH,
            "state_since": Instant::EPOCH, "head": model::Digest::default(), "fields": {},
        });
        for (key, value) in more.as_object().expect("a map") {
            record[key] = value.clone();
        }
        serde_json::from_value(record).expect("a record")
    }

    fn text(source: &str, record: &Record, records_at: Option<&str>) -> String {
        let compile = |source| Template::compile(source).expect("a template");
        let notice = Notice {
            id: "asked".parse().expect("an id"),
            to: Vec::new(),
            mandatory: false,
            subject: compile("A\nsubject"),
            text: compile(source),
        };
        let record = Arc::new(record.clone());
        let said = render(
            &notice,
            &record,
            &Actor::timer(),
            Instant::EPOCH,
            records_at,
            None,
        );
        let (subject, text) = said.expect("it is rendered");
        assert_eq!(subject, "A subject");
        text
    }

    #[test]
    fn an_approver_reads_which_stage_until_when_and_where() {
        let source = "{{ approval.stage }} by {{ approval.due }} of {{ approval.asked | join(', ') }}: {{ record.url }}";
        let asked = record(&json!({ "approval": { "by": null, "next": [], "stage": {
            "plan": { "id": "cab", "approvers": [], "quorum": { "any": true }, "rejects": "final",
                "timeout": null, "allow_self": false },
            "opened_at": Instant::EPOCH, "needed": 2, "entitled": ["ada", "carla", "dirk"], "due": "1970-01-02T00:00:00Z",
            "votes": { "carla": { "approves": true, "at": Instant::EPOCH } },
        } } }));
        assert_eq!(
            text(source, &asked, Some("https://desk.example")),
            "cab by 1970-01-02T00:00:00Z of ada, dirk: https://desk.example/records/CHG-7"
        );
        assert_eq!(
            text(
                "[{{ approval.stage }}{{ record.url }}]",
                &record(&json!({})),
                None
            ),
            "[]"
        );
        let field = record(&json!({ "fields": { "approval": { "text": "mine" } } }));
        assert_eq!(text("{{ approval }}", &field, None), "mine");
    }
}
