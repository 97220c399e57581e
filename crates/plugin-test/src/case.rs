//! One case as it is written: what is asked, what stands around, and what is expected.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use model::definition::{Calendar, Category, Limits};
use model::hook::{Call, Hook, PastVote, RecordView};
use model::id::{
    BindingId, CalendarId, DirectoryId, DirectoryKind, FieldId, PersonId, RecordId, ServiceLevelId,
    TargetId, WorkflowId,
};
use model::{Instant, Value};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

/// When everything in a case happens, unless it says otherwise: 2026-01-05T09:00:00Z, a Monday.
const NOW: Instant = Instant::from_millis(1_767_603_600_000);

/// A question to a plugin in a test.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// Which hook is asked; the only one that the component has, where it is left out.
    #[serde(default)]
    pub(crate) hook: Option<Hook>,
    #[serde(default)]
    pub(crate) call: CallInput,
    #[serde(default)]
    pub(crate) settings: Map<String, Json>,
    #[serde(default)]
    pub(crate) limits: Limits,
    #[serde(default)]
    pub(crate) record: RecordInput,
    #[serde(default)]
    pub(crate) approval: ApprovalInput,
    #[serde(default)]
    pub(crate) service_level: ServiceLevelInput,
    #[serde(default)]
    pub(crate) event: EventInput,
    #[serde(default)]
    pub(crate) request: RequestInput,
    #[serde(default)]
    pub(crate) desk: DeskInput,
    /// The values of secrets, by name; each is granted for the hosts in `http` and for signing.
    #[serde(default)]
    pub(crate) secrets: IndexMap<String, String>,
    /// What the outside answers, in order; a host is granted where it is named here.
    #[serde(default)]
    pub(crate) http: Vec<ExchangeInput>,
    /// What is expected, by parts of the outcome. Without it the outcome is held to the file of answers.
    #[serde(default)]
    pub(crate) expect: Option<Map<String, Json>>,
}

impl Case {
    /// What is expected, where the case says so itself.
    pub const fn expect(&self) -> Option<&Map<String, Json>> {
        self.expect.as_ref()
    }
}

/// What the server says of the call.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CallInput {
    id: String,
    attempt: u32,
    now: Instant,
    seed: u64,
    actor: String,
}

impl Default for CallInput {
    fn default() -> Self {
        Self {
            id: "call-1".to_owned(),
            attempt: 1,
            now: NOW,
            seed: 1,
            actor: "ada".to_owned(),
        }
    }
}

impl CallInput {
    pub(crate) fn to_call(&self) -> Call {
        Call {
            id: self.id.clone(),
            attempt: self.attempt,
            now: self.now,
            seed: self.seed,
            actor: self.actor.clone(),
        }
    }
}

/// The record that is asked about.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RecordInput {
    pub(crate) id: Option<RecordId>,
    workflow: Option<WorkflowId>,
    state: Option<String>,
    category: Option<Category>,
    version: u64,
    requester: Option<PersonId>,
    assignee: Option<PersonId>,
    team: Option<String>,
    opened_at: Option<Instant>,
    updated_at: Option<Instant>,
    state_since: Option<Instant>,
    fields: IndexMap<FieldId, Json>,
    /// On a record of the desk: the records it is linked to, by kind.
    pub(crate) links: IndexMap<String, Vec<RecordId>>,
    /// On a record of the desk: the binding's own names for it.
    pub(crate) references: Vec<String>,
}

impl RecordInput {
    /// The record as a plugin sees it; where nothing is said it is an incident being created now.
    pub(crate) fn to_view(&self, now: Instant) -> RecordView {
        let workflow = self
            .workflow
            .clone()
            .unwrap_or_else(|| WorkflowId::new("incident").expect("it is written as ids are"));
        RecordView {
            id: self.id.clone(),
            workflow,
            state: self.state.clone().unwrap_or_else(|| "new".to_owned()),
            category: self.category.unwrap_or(Category::Open),
            version: self.version,
            requester: self.requester.clone(),
            assignee: self.assignee.clone(),
            team: self.team.clone(),
            opened_at: self.opened_at.unwrap_or(now),
            updated_at: self.updated_at.unwrap_or(now),
            state_since: self.state_since.unwrap_or(now),
            fields: values(&self.fields),
        }
    }
}

/// What is to be agreed to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ApprovalInput {
    pub(crate) transition: String,
    pub(crate) input: IndexMap<FieldId, Json>,
    pub(crate) votes: Vec<PastVote>,
}

/// What is to be promised.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServiceLevelInput {
    pub(crate) id: ServiceLevelId,
    pub(crate) targets: Vec<TargetId>,
    pub(crate) calendar: CalendarId,
}

impl Default for ServiceLevelInput {
    fn default() -> Self {
        let ours = "these ids are written as ids are";
        Self {
            id: ServiceLevelId::new("standard").expect(ours),
            targets: vec![TargetId::new("resolution").expect(ours)],
            calendar: CalendarId::new("business-hours").expect(ours),
        }
    }
}

/// What happened, for a delivery.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct EventInput {
    pub(crate) id: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) references: Vec<String>,
    pub(crate) data: Json,
}

/// A request to a webhook.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RequestInput {
    pub(crate) method: Option<String>,
    pub(crate) path: String,
    pub(crate) headers: IndexMap<String, String>,
    pub(crate) body: BodyInput,
}

/// A body: text as it is, anything else as JSON.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct BodyInput(Json);

impl BodyInput {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match &self.0 {
            Json::Null => Vec::new(),
            Json::String(text) => text.clone().into_bytes(),
            other => other.to_string().into_bytes(),
        }
    }
}

/// One request to the outside and its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExchangeInput {
    pub(crate) request: OutgoingInput,
    pub(crate) response: ResponseInput,
}

/// A request that is expected to go out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutgoingInput {
    #[serde(default = "get")]
    pub(crate) method: String,
    pub(crate) url: String,
}

fn get() -> String {
    "GET".to_owned()
}

/// What the outside answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ResponseInput {
    pub(crate) status: u16,
    pub(crate) headers: IndexMap<String, String>,
    pub(crate) body: BodyInput,
}

impl Default for ResponseInput {
    fn default() -> Self {
        Self {
            status: 200,
            headers: IndexMap::new(),
            body: BodyInput::default(),
        }
    }
}

/// The desk around the plugin.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct DeskInput {
    /// The members of teams, by team and person.
    pub(crate) teams: BTreeMap<String, BTreeMap<String, MemberInput>>,
    /// Whatever else the desk keeps, by kind and id.
    pub(crate) directory: BTreeMap<DirectoryKind, BTreeMap<DirectoryId, Map<String, Json>>>,
    pub(crate) calendars: BTreeMap<String, Calendar>,
    pub(crate) records: Vec<RecordInput>,
    /// What the binding remembers from earlier calls.
    pub(crate) key_value: BTreeMap<String, String>,
}

/// A member of a team.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MemberInput {
    pub(crate) skills: Vec<String>,
    pub(crate) off_shift: bool,
    pub(crate) open_records: u32,
    pub(crate) last_assigned_at: Option<Instant>,
    /// What else is known of them, such as `on-call`.
    pub(crate) facts: Map<String, Json>,
}

/// The binding that stands in for the pack's.
pub(crate) fn binding() -> BindingId {
    BindingId::new("under-test").expect("it is written as ids are")
}

/// Field values from the way they are written in a case.
pub(crate) fn values(fields: &IndexMap<FieldId, Json>) -> BTreeMap<FieldId, Value> {
    let fields = fields.iter();
    fields
        .map(|(id, value)| (id.clone(), self::value(value)))
        .collect()
}

/// A value: texts, numbers and truth as they are, a list of texts as texts, `{ instant: … }` an
/// instant, and anything else JSON.
fn value(written: &Json) -> Value {
    match written {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(*value),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Integer(number),
            None => Value::Number(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) if items.iter().all(Json::is_string) => {
            let texts = items.iter().filter_map(Json::as_str);
            Value::Texts(texts.map(str::to_owned).collect())
        }
        Json::Object(entries) if entries.len() == 1 => {
            let instant = entries.get("instant").and_then(Json::as_str);
            match instant.and_then(|text| text.parse().ok()) {
                Some(instant) => Value::Instant(instant),
                None => Value::Json(written.clone()),
            }
        }
        other => Value::Json(other.clone()),
    }
}
