//! What is told there of a record here: that it has to be opened, that somebody said something, or that
//! it moved. Never what came from there.

use serde::Deserialize;
use servicewright_sdk::delivery::{Call, Event};
use servicewright_sdk::{Category, OrInvalid, Record, Result, Value};

use crate::text::clip;

/// What comes before the name of a kind of event.
const KINDS: &str = "servicewright.record.";

/// What is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The record has no counterpart, and is to have one.
    Open,
    /// Somebody said something.
    Comment(Comment),
    /// It moved. The counterpart may be there already.
    Moved,
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Who, by their id.
    pub who: String,
    /// What.
    pub text: String,
    /// Whether the requester sees it.
    pub public: bool,
}

#[derive(Deserialize)]
struct CloudEvent {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    actor: Option<String>,
    #[serde(default)]
    change: Change,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Change {
    commented: Option<Said>,
}

#[derive(Deserialize)]
struct Said {
    text: String,
    public: bool,
}

/// What an event means for the counterpart; nothing where it came from there, or where there is none.
///
/// # Errors
/// Where the event is not one of this server's.
pub fn told(call: &Call, event: &Event, has_counterpart: bool) -> Result<Option<Told>> {
    if call.is_own() {
        return Ok(None);
    }
    let kind = event.kind.strip_prefix(KINDS).unwrap_or(&event.kind);
    Ok(match (kind, has_counterpart) {
        ("created" | "effect", false) => Some(Told::Open),
        ("transitioned" | "effect", true) => Some(Told::Moved),
        ("commented", true) => comment(event)?.map(Told::Comment),
        _ => None,
    })
}

fn comment(event: &Event) -> Result<Option<Comment>> {
    let data: CloudEvent = serde_json::from_str(&event.data).or_invalid("the event's data")?;
    let who = data.data.actor.unwrap_or_default();
    Ok(data.data.change.commented.map(|said| Comment {
        who,
        text: said.text,
        public: said.public,
    }))
}

/// What stands for a name in a text about a record: `id`, `workflow`, `state`, `team`, `requester`,
/// `assignee`, or `fields.` and the id of a field.
pub fn value(record: &Record, name: &str) -> Option<String> {
    if let Some(field) = name.strip_prefix("fields.") {
        return text(record.fields.value(field));
    }
    match name {
        "id" => record.id.clone(),
        "workflow" => Some(record.workflow.clone()),
        "state" => Some(record.state.clone()),
        "team" => record.team.clone(),
        "requester" => record.requester.clone(),
        "assignee" => record.assignee.clone(),
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Text(text) => text.clone(),
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::Instant(value) => value.to_string(),
        Value::Texts(texts) => texts.join(", "),
        _ => return None,
    })
}

/// Whether somebody still has to work on it.
pub const fn is_open(category: Category) -> bool {
    matches!(category, Category::Open | Category::Waiting)
}

/// What tells our own texts from others' when they come back, and one delivery from another: a comment
/// that is not shown where the text is.
pub fn mark(id: &str) -> String {
    format!("{MARK}{} -->", id.replace("--", "- -"))
}

/// How every [`mark`] begins.
pub const MARK: &str = "<!-- servicewright: ";

/// Whether a text was written by this plugin.
pub fn is_marked(text: &str) -> bool {
    text.contains(MARK)
}

/// A text with the mark below it, cut so that the whole has at most so many characters.
pub fn marked(text: &str, id: &str, at_most: usize) -> String {
    let mark = mark(id);
    let room = at_most.saturating_sub(mark.chars().count() + 2);
    // What people wrote cannot pass for a mark, nor end one.
    let text = text.replace(MARK, "<!- servicewright: ");
    format!("{}\n\n{mark}", clip(&text, room))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use servicewright_sdk::delivery::Event;
    use servicewright_sdk::testing;

    use super::{Comment, Told, is_marked, mark, marked, told};

    fn event(kind: &str) -> Event {
        let commented = json!({ "text": "Häßlich", "public": true });
        let data = json!({ "data": { "actor": "ada", "change": { "commented": commented } } });
        let kind = format!("servicewright.record.{kind}");
        Event::new("e-1", &kind, testing::record("incident"), data.to_string())
    }

    fn meant(kind: &str, has_counterpart: bool) -> Option<Told> {
        told(&testing::call(&json!({})), &event(kind), has_counterpart).unwrap()
    }

    #[test]
    fn an_event_means_something_where_there_is_a_counterpart_or_is_to_be_one() {
        let said = Comment {
            who: "ada".to_owned(),
            text: "Häßlich".to_owned(),
            public: true,
        };
        assert_eq!(meant("created", false), Some(Told::Open));
        assert_eq!(meant("effect", false), Some(Told::Open));
        assert_eq!(meant("commented", true), Some(Told::Comment(said)));
        assert_eq!(meant("transitioned", true), Some(Told::Moved));
        for (kind, has) in [
            ("created", true),
            ("commented", false),
            ("transitioned", false),
            ("assigned", true),
        ] {
            assert_eq!(meant(kind, has), None, "{kind}");
        }
    }

    #[test]
    fn what_came_from_there_is_not_told_there() {
        let mut call = testing::call(&json!({}));
        call.facts.set("binding", "github");
        call.actor = "binding:github".to_owned();
        assert_eq!(told(&call, &event("commented"), true), Ok(None));
        call.actor = "binding:other".to_owned();
        assert!(told(&call, &event("commented"), true).unwrap().is_some());
    }

    #[test]
    fn a_marked_text_keeps_its_mark_and_nobody_else_can_write_one() {
        let text = marked(&"ä".repeat(100), "INC-1/2/0", 60);
        assert_eq!(text.chars().count(), 60);
        assert!(text.ends_with(&mark("INC-1/2/0")));
        assert!(is_marked(&text));
        let quoted = marked("<!-- servicewright: INC-9 -->", "e", 100);
        assert_eq!(quoted.matches("<!-- servicewright: ").count(), 1);
        assert!(!is_marked("plain"));
    }
}
