//! What a look-up of a plugin found, as the journal keeps it: the question as it was put, and the
//! digest of the answer. Whoever asks again can tell by both whether the plugin is shown the same.

use model::id::{FieldId, PersonId, WorkflowId};
use model::journal::LookedUp;
use model::{Digest, Instant, Value};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::{Member, WindowsQuery};

/// How long a question is kept whole, in bytes.
const WHOLE: usize = 1_000;

/// The digest of what was found.
pub fn digest(found: &impl Serialize) -> Option<Digest> {
    serde_json::to_vec(found)
        .ok()
        .map(|bytes| Digest::of(&bytes))
}

/// The question for all teams.
pub fn teams() -> LookedUp {
    query("teams")
}

/// The question for the members of a team.
pub fn members(team: &str) -> LookedUp {
    query(&format!("members {team}"))
}

/// The question for the records linked to one.
pub fn linked(id: &str, kind: &str) -> LookedUp {
    query(&format!("linked {id} {kind}"))
}

/// The question for the records of a workflow with these values.
pub fn alike(workflow: &str, fields: &[(FieldId, Value)], since: Instant) -> LookedUp {
    let values: Map<String, Json> = fields
        .iter()
        .map(|(id, value)| (id.to_string(), value.to_json()))
        .collect();
    let values = Json::Object(values);
    query(&format!("alike {workflow} {values} since {since}"))
}

/// The question for the record of a reference.
pub fn referenced(reference: &str) -> LookedUp {
    query(&format!("referenced {reference}"))
}

/// The question for how much people have.
pub(crate) fn loads(people: &[PersonId]) -> LookedUp {
    let people: Vec<&str> = people.iter().map(PersonId::as_str).collect();
    query(&format!("loads {}", people.join(" ")))
}

/// The question for who has the requester's last record of a workflow.
pub(crate) fn last_assignee(workflow: &WorkflowId, requester: &PersonId) -> LookedUp {
    query(&format!("last assignee {workflow} {requester}"))
}

/// The question for planned windows.
pub(crate) fn windows(of: &WindowsQuery) -> LookedUp {
    let affects = of.affects.as_ref();
    let affects = affects.map_or_else(
        || "all".to_owned(),
        |key| format!("{}/{}", key.kind, key.id),
    );
    query(&format!("windows {affects} {} {}", of.from, of.to))
}

/// A question as the journal keeps it: whole, or its beginning and its digest where it is long.
fn query(what: &str) -> LookedUp {
    if what.len() <= WHOLE {
        return LookedUp::Query(what.to_owned());
    }
    let beginning: String = what.chars().take(WHOLE / 5).collect();
    let digest = Digest::of(what.as_bytes());
    LookedUp::Query(format!("{beginning}… {digest}"))
}

/// A member in a form whose digest does not change with how Rust prints.
#[derive(Clone, Debug)]
pub struct FoundMember(pub Member);

impl Serialize for FoundMember {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Member {
            user,
            skills,
            on_shift,
            open_records,
            last_assigned_at,
            facts,
        } = &self.0;
        let last = last_assigned_at.map(Instant::millis);
        // Without facts as it was before there were any.
        if facts.is_empty() {
            return json!([user, skills, on_shift, open_records, last]).serialize(serializer);
        }
        json!([user, skills, on_shift, open_records, last, facts]).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use model::journal::LookedUp;

    use serde_json::{Map, json};

    use super::{FoundMember, members, query};
    use crate::port::Member;

    #[test]
    fn a_member_without_facts_is_what_it_was_before_there_were_any() {
        let mut member = Member {
            user: "ada".to_owned(),
            skills: vec!["cisco".to_owned()],
            on_shift: true,
            open_records: 2,
            last_assigned_at: None,
            facts: Map::new(),
        };
        let told = |member: &Member| {
            serde_json::to_value(FoundMember(member.clone())).expect("text for keys")
        };
        assert_eq!(told(&member), json!(["ada", ["cisco"], true, 2, null]));
        member.facts.insert("on-call".to_owned(), json!(true));
        let with = json!(["ada", ["cisco"], true, 2, null, { "on-call": true }]);
        assert_eq!(told(&member), with);
    }

    #[test]
    fn a_long_question_is_kept_by_its_digest() {
        let LookedUp::Query(short) = members("network") else {
            panic!("a question");
        };
        assert_eq!(short, "members network");
        let (one, other) = ("x".repeat(2_000), format!("{}y", "x".repeat(1_999)));
        let (LookedUp::Query(kept), LookedUp::Query(other)) = (query(&one), query(&other)) else {
            panic!("questions");
        };
        assert!(
            kept.starts_with("xxx") && kept.contains("… sha256:"),
            "{kept}"
        );
        assert_ne!(kept, other);
    }
}
