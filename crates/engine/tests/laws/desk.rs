//! A desk without store or plugins: each command is decided, folded, and held to be the same.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use definition::compile::{Definitions, Installable, ServiceLevel};
use definition::pack::Pack;
use model::command::{Action, Actor, Command, Create, Who};
use model::definition::Choice;
use model::directory::{Key, Thing};
use model::event::Event;
use model::hook::Reply;
use model::id::{
    DirectoryId, DirectoryKind, PersonId, RecordId, RoleId, TeamId, TransitionId, WorkflowId,
};
use model::journal::{self, Decision, Entry};
use model::record::Record;
use model::{Digest, Instant};
use serde_json::{Map, Value as Json, json};
use servicewright_engine::decide::{self, DecideError, Input, Outcome, Pinned};
use servicewright_engine::port::{FoundThing, Load, StoreError, Windows, WindowsQuery};
use servicewright_engine::{Directory, Rejection, fold};

pub(crate) struct Desk {
    pub(crate) definitions: Definitions,
    things: BTreeMap<Key, Thing>,
    pub(crate) record: Option<Record>,
    pub(crate) now: Instant,
    /// The number that a record gets.
    pub(crate) number: u64,
    pub(crate) replies: VecDeque<Reply>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) events: Vec<Event>,
    pub(crate) past: Vec<Entry>,
}

impl Desk {
    /// A desk of one pack, its files given by path.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect();
        let pack = Pack::read(&files).unwrap_or_else(|faults| panic!("{faults:?}"));
        let installable = Installable::of_pack(&pack, |_, _| Digest::default());
        let definitions = definition::compile::definitions(&installable)
            .unwrap_or_else(|faults| panic!("{faults:#?}"));
        Self {
            definitions,
            things: BTreeMap::new(),
            record: None,
            now: "2026-03-02T09:00:00Z".parse().expect("valid"),
            number: 1,
            replies: VecDeque::new(),
            decisions: Vec::new(),
            events: Vec::new(),
            past: Vec::new(),
        }
    }

    pub(crate) fn put(&mut self, kind: &str, id: &str, thing: &Json) {
        let key = Key {
            kind: DirectoryKind::new(kind).expect("valid"),
            id: DirectoryId::new(id).expect("valid"),
        };
        match thing {
            Json::Object(map) => self.things.insert(key, Thing(map.clone())),
            _ => self.things.remove(&key),
        };
    }

    /// People with nothing but a name, all in one team.
    pub(crate) fn people(&mut self, team: &str, people: &[&str]) {
        for person in people {
            self.put("user", person, &json!({ "name": person }));
        }
        let members: Map<_, _> = people
            .iter()
            .map(|person| ((*person).to_owned(), json!({})))
            .collect();
        self.put("team", team, &json!({ "members": members }));
    }

    pub(crate) fn at(&mut self, time: &str) {
        self.now = time.parse().expect("valid");
    }

    pub(crate) fn record(&self) -> &Record {
        self.record.as_ref().expect("begun")
    }

    pub(crate) fn state(&self) -> &str {
        self.record().state.as_str()
    }

    pub(crate) fn create(
        &mut self,
        who: &str,
        workflow: &str,
        fields: Json,
    ) -> Result<(), Rejection> {
        self.begin(who, workflow, None, fields)
    }

    pub(crate) fn create_by(
        &mut self,
        who: &str,
        workflow: &str,
        via: &str,
        fields: Json,
    ) -> Result<(), Rejection> {
        self.begin(who, workflow, Some(via), fields)
    }

    fn begin(
        &mut self,
        who: &str,
        workflow: &str,
        via: Option<&str>,
        fields: Json,
    ) -> Result<(), Rejection> {
        let Json::Object(fields) = fields else {
            panic!("fields are an object")
        };
        let create = Create {
            workflow: WorkflowId::new(workflow).expect("valid"),
            item: None,
            parent: None,
            via: via.map(|via| TransitionId::new(via).expect("valid")),
            requester: None,
            fields,
            link: None,
            reference: None,
        };
        self.run(who, Action::Create(create)).map(|_| ())
    }

    pub(crate) fn take(&mut self, who: &str, name: &str, input: Json) -> Result<(), Rejection> {
        let Json::Object(input) = input else {
            panic!("the input is an object")
        };
        self.run(
            who,
            Action::Transition {
                name: TransitionId::new(name).expect("valid"),
                input,
            },
        )
        .map(|_| ())
    }

    pub(crate) fn vote(&mut self, who: &str, approves: bool) -> Result<(), Rejection> {
        self.give(who, Choice::of(approves), None)
    }

    /// Gives a vote, in someone's place where that is said.
    pub(crate) fn give(
        &mut self,
        who: &str,
        choice: Choice,
        instead_of: Option<&str>,
    ) -> Result<(), Rejection> {
        let vote = Action::Vote {
            choice,
            comment: None,
            stage: None,
            instead_of: instead_of.map(|id| PersonId::new(id).expect("valid")),
            link: None,
        };
        self.act(who, vote)
    }

    pub(crate) fn act(&mut self, who: &str, action: Action) -> Result<(), Rejection> {
        self.run(who, action).map(|_| ())
    }

    pub(crate) fn directory_changed(&mut self) {
        self.run("timer", Action::DirectoryChanged { position: 1 })
            .expect("never refused");
    }

    /// Does what is due up to now, each at its own time, as a server that never sleeps would.
    pub(crate) fn wake_until(&mut self, until: Instant) {
        while let Some(due) = self.record().next_due().filter(|due| *due <= until) {
            self.now = due.max(self.now);
            assert!(
                self.run("timer", Action::Wake).expect("never refused"),
                "what is due is done"
            );
        }
        self.now = until;
    }

    /// Decides and folds; says whether there was anything to do.
    pub(crate) fn run(&mut self, who: &str, action: Action) -> Result<bool, Rejection> {
        let command = Command {
            actor: self.actor(who),
            at: self.now,
            action,
        };
        let workflow = match &command.action {
            Action::Create(create) => create.workflow.clone(),
            _ => self.record().workflow.clone(),
        };
        let workflow = self.definitions.workflows[&workflow].clone();
        let number = RecordId::numbered(&workflow.number, self.number).expect("valid");
        let (mut replies, mut named) = (Vec::new(), false);
        loop {
            let input = Input {
                record: self.record.as_ref(),
                workflow: &workflow,
                definitions: &self.definitions,
                pinned: &NothingPinned,
                directory: self,
                past: &self.past,
                command: &command,
                replies: &replies,
                number: named.then_some(&number),
            };
            match decide::decide(input) {
                Ok(Outcome::Ask(_)) => {
                    replies.push(self.replies.pop_front().expect("an answer was prepared"));
                }
                Ok(Outcome::Number) => named = true,
                Ok(Outcome::Nothing) => return Ok(false),
                Ok(Outcome::Decided(decided)) => {
                    self.keep(command, *decided);
                    return Ok(true);
                }
                Err(DecideError::Rejected(rejection)) => return Err(rejection),
                Err(DecideError::Store(error)) => panic!("{error}"),
            }
        }
    }

    /// Makes the entry, and holds the fold to what was decided.
    fn keep(&mut self, command: Command, decided: decide::Decided) {
        let entry = Entry {
            version: decided.record.version,
            previous: self
                .record
                .as_ref()
                .map_or_else(Digest::default, |record| record.head),
            command,
            idempotency: None,
            configuration: Digest::default(),
            lookups: decided.lookups,
            decisions: decided.decisions,
            events: decided.events,
        };
        let encoded = journal::encode(&entry);
        let read: Entry = journal::decode(&encoded).expect("an entry reads back");
        assert_eq!(read, entry, "an entry reads back as it was");
        let folded =
            fold(self.record.take(), &decided.record.id, &read, &encoded).expect("an entry folds");
        let expected = Record {
            head: folded.head,
            ..decided.record
        };
        assert_eq!(folded, expected, "folding gives what was decided");
        let stored: Record =
            journal::decode(&journal::encode(&folded)).expect("a record reads back");
        assert_eq!(stored, folded, "a record reads back as it was");
        self.record = Some(folded);
        self.past.push(entry.clone());
        self.decisions = entry.decisions;
        self.events = entry.events;
    }

    /// `timer`, or a person: with the roles of the directory, and `agent` for those called so.
    fn actor(&self, who: &str) -> Actor {
        if who == "timer" {
            return Actor::timer();
        }
        if let Some(binding) = who.strip_prefix("binding:") {
            let binding = model::id::BindingId::new(binding).expect("valid");
            return Actor {
                who: Who::Binding(binding),
                ..Actor::timer()
            };
        }
        let person = PersonId::new(who).expect("valid");
        let mut roles = BTreeSet::new();
        if who.starts_with("agent") {
            roles.insert(RoleId::new("agent").expect("valid"));
        }
        let in_team = |thing: &Thing| {
            thing
                .0
                .get("members")
                .and_then(|members| members.get(who))
                .is_some()
        };
        let teams = self
            .things
            .iter()
            .filter(|(key, thing)| key.kind.as_str() == "team" && in_team(thing));
        let teams = teams
            .map(|(key, _)| TeamId::new(key.id.as_str()).expect("valid"))
            .collect();
        Actor {
            who: Who::Person(person),
            roles,
            teams,
        }
    }
}

impl Directory for Desk {
    fn thing(&self, key: &Key) -> Result<Option<Arc<FoundThing>>, StoreError> {
        let thing = self.things.get(key).cloned();
        Ok(thing.map(|thing| Arc::new(thing.into())))
    }

    fn people_with_role(&self, role: &RoleId) -> Result<Vec<PersonId>, StoreError> {
        let has = |thing: &Thing| {
            let roles = thing.0.get("roles").and_then(Json::as_array);
            roles.is_some_and(|roles| roles.iter().any(|has| has.as_str() == Some(role.as_str())))
        };
        let people = self
            .things
            .iter()
            .filter(|(key, thing)| key.kind.as_str() == "user" && has(thing));
        Ok(people
            .map(|(key, _)| PersonId::new(key.id.as_str()).expect("valid"))
            .collect())
    }

    fn record(&self, _: &RecordId) -> Result<Option<Arc<Record>>, StoreError> {
        Ok(None)
    }

    fn loads(&self, people: &[PersonId]) -> Result<Vec<Load>, StoreError> {
        Ok(vec![Load::default(); people.len()])
    }

    fn windows(&self, _: &WindowsQuery) -> Result<Windows, StoreError> {
        Ok(Windows::default())
    }

    fn last_assignee(
        &self,
        _: &WorkflowId,
        _: &PersonId,
        _: &RecordId,
    ) -> Result<Option<PersonId>, StoreError> {
        Ok(None)
    }
}

struct NothingPinned;

impl Pinned for NothingPinned {
    fn service_level(&self, _: &Digest) -> Option<Arc<ServiceLevel>> {
        None
    }

    fn calendar(&self, _: &Digest) -> Option<calendar::Calendar> {
        None
    }
}
