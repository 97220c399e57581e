//! A desk for the tests of a plugin, run natively: what look-ups answer, and what was logged and sent.
//!
//! ```
//! use servicewright_sdk::directory::{self, Person};
//! use servicewright_sdk::testing::Desk;
//!
//! let desk = Desk::new().person(Person::new("ann").manager("bea")).install();
//! let ann = directory::user("ann").unwrap().unwrap();
//! assert_eq!(ann.manager.as_deref(), Some("bea"));
//! servicewright_sdk::log::info("looked up");
//! assert_eq!(desk.logged(), ["looked up"]);
//! ```
//!
//! It stands in for the server and is simpler: everything is granted, and calendars are given as the
//! spans in which they are open.

pub(crate) mod host;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::Serialize;

use crate::directory::{Member, Person};
use crate::{Call, Category, Fields, Instant, Record};

/// When everything in a test happens, unless it says otherwise: 2026-01-05T09:00:00Z, a Monday.
pub const NOW: Instant = Instant::from_millis(1_767_603_600_000);

/// A call with these settings, at [`NOW`], first attempt, by the actor `ann`.
pub fn call(settings: &impl Serialize) -> Call {
    Call {
        id: "call-1".to_owned(),
        attempt: 1,
        now: NOW,
        seed: 1,
        actor: "ann".to_owned(),
        facts: Fields::new(),
        settings: serde_json::to_string(settings).expect("settings in tests are plain data"),
    }
}

/// A record of a workflow, being created [`NOW`], in the state `new`.
pub fn record(workflow: &str) -> Record {
    Record {
        id: None,
        workflow: workflow.to_owned(),
        state: "new".to_owned(),
        category: Category::Open,
        version: 0,
        requester: None,
        assignee: None,
        team: None,
        opened_at: NOW,
        updated_at: NOW,
        state_since: NOW,
        fields: Fields::new(),
        facts: Fields::new(),
    }
}

/// The settings that a plugin's JSON Schema says hold where nothing is set: every `default` in it,
/// but for objects in which something is required. A test that reads them as the plugin's own type
/// holds the schema and the type to each other.
///
/// # Panics
/// Where the schema is not JSON.
pub fn schema_defaults(schema: &str) -> serde_json::Value {
    let schema = serde_json::from_str(schema).expect("a schema is JSON");
    defaults(&schema).unwrap_or(serde_json::Value::Null)
}

fn defaults(schema: &serde_json::Value) -> Option<serde_json::Value> {
    if let Some(default) = schema.get("default") {
        return Some(default.clone());
    }
    let properties = schema.get("properties")?.as_object()?;
    if schema.get("required").is_some() {
        return None;
    }
    let said = |(name, property)| Some((String::clone(name), defaults(property)?));
    Some(properties.iter().filter_map(said).collect())
}

#[cfg(feature = "http")]
type Respond = Box<dyn Fn(&crate::http::Request) -> crate::Result<crate::http::Response>>;

/// What look-ups answer.
#[derive(Default)]
pub struct Desk {
    people: BTreeMap<String, Person>,
    teams: BTreeMap<String, Vec<Member>>,
    things: BTreeMap<(String, String), Fields>,
    records: Vec<Record>,
    links: BTreeMap<(String, String), Vec<String>>,
    references: BTreeMap<String, String>,
    calendars: BTreeMap<String, Vec<(Instant, Instant)>>,
    secrets: BTreeMap<String, Vec<u8>>,
    #[cfg(feature = "http")]
    respond: Option<Respond>,
    key_values: RefCell<BTreeMap<String, Vec<u8>>>,
    logged: RefCell<Vec<String>>,
    #[cfg(feature = "http")]
    sent: RefCell<Vec<crate::http::Request>>,
}

impl Desk {
    /// A desk that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a person.
    #[must_use]
    pub fn person(mut self, person: Person) -> Self {
        self.people.insert(person.id.clone(), person);
        self
    }

    /// Adds a team without members.
    #[must_use]
    pub fn team(mut self, id: &str) -> Self {
        self.teams.entry(id.to_owned()).or_default();
        self
    }

    /// Adds a member to a team, and the team where it is new.
    #[must_use]
    pub fn member(mut self, team: &str, member: Member) -> Self {
        self.teams.entry(team.to_owned()).or_default().push(member);
        self
    }

    /// Adds anything else the desk keeps, by kind and id.
    #[must_use]
    pub fn thing(mut self, kind: &str, id: &str, fields: impl Into<Fields>) -> Self {
        let key = (kind.to_owned(), id.to_owned());
        self.things.insert(key, fields.into());
        self
    }

    /// Adds a record, for [`alike`](crate::directory::alike) and [`linked`](crate::directory::linked).
    #[must_use]
    pub fn record(mut self, record: Record) -> Self {
        self.records.push(record);
        self
    }

    /// Links two records by their numbers.
    #[must_use]
    pub fn link(mut self, from: &str, kind: &str, to: &str) -> Self {
        let key = (from.to_owned(), kind.to_owned());
        self.links.entry(key).or_default().push(to.to_owned());
        self
    }

    /// Adds a record that the binding knows by this reference, for
    /// [`referenced`](crate::directory::referenced). It has to have a number.
    #[must_use]
    pub fn referenced(mut self, reference: &str, record: Record) -> Self {
        let id = record.id.clone().unwrap_or_default();
        self.references.insert(reference.to_owned(), id);
        self.record(record)
    }

    /// Adds a calendar that is open in these spans, each given as two instants in RFC 3339.
    ///
    /// # Panics
    /// Where one of them is no instant.
    #[must_use]
    pub fn calendar<const N: usize>(mut self, id: &str, open: [(&str, &str); N]) -> Self {
        let at = |text: &str| text.parse().expect("a calendar's spans are instants");
        let mut spans: Vec<_> = open.map(|(from, to)| (at(from), at(to))).into();
        spans.sort_unstable();
        self.calendars.insert(id.to_owned(), spans);
        self
    }

    /// Adds a secret, for [`signing`](crate::signing).
    #[must_use]
    pub fn secret(mut self, name: &str, value: &[u8]) -> Self {
        self.secrets.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Answers every request of the plugin; without this they are refused.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn respond(
        mut self,
        respond: impl Fn(&crate::http::Request) -> crate::Result<crate::http::Response> + 'static,
    ) -> Self {
        self.respond = Some(Box::new(respond));
        self
    }

    /// Puts the desk before the plugin, in this thread and until the result is dropped.
    pub fn install(self) -> Installed {
        let desk = Rc::new(self);
        let before = PRESENT.with_borrow_mut(|present| present.replace(Rc::clone(&desk)));
        Installed { desk, before }
    }
}

thread_local! {
    static PRESENT: RefCell<Option<Rc<Desk>>> = const { RefCell::new(None) };
}

/// A desk that a plugin sees at present.
#[must_use = "the plugin sees the desk only until this is dropped"]
pub struct Installed {
    desk: Rc<Desk>,
    before: Option<Rc<Desk>>,
}

impl Installed {
    /// The lines that the plugin logged.
    pub fn logged(&self) -> Vec<String> {
        self.desk.logged.borrow().clone()
    }

    /// The requests that the plugin sent.
    #[cfg(feature = "http")]
    pub fn sent(&self) -> Vec<crate::http::Request> {
        self.desk.sent.borrow().clone()
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        PRESENT.with_borrow_mut(|present| *present = self.before.take());
    }
}
