//! Records, entries and commits that stand for those of the engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::port::{Commit, DirectoryCommit, RecordCommit};
use model::command::{Action, Actor, Command, IdempotencyKey};
use model::definition::{Quorum, Rejects};
use model::directory::{Change, Key, Thing};
use model::event::{Event, EventKind};
use model::id::{BindingId, RecordId};
use model::journal::{Entry, encode, entry_hash};
use model::record::{
    Approval, EffectCall, EffectKey, OpenStage, PendingEffect, PlannedWindow, Record, StagePlan,
};
use model::{Digest, Instant, Value};

/// Any id, of text that keeps to its spelling.
pub fn id<T: std::str::FromStr>(text: &str) -> T {
    text.parse()
        .unwrap_or_else(|_| panic!("`{text}` keeps to the spelling of its kind"))
}

/// So many seconds after an instant of no importance.
pub const fn at(seconds: i64) -> Instant {
    Instant::from_millis(1_700_000_000_000 + seconds * 1_000)
}

/// A record that has just begun, with nothing set that may be absent.
pub fn new_record(number: &str, when: Instant) -> Record {
    let record = serde_json::json!({
        "id": number,
        "workflow": "incident",
        "definition": Digest::of(b"incident"),
        "state": "new",
        "category": "open",
        "version": 0,
        "created_at": when,
        "updated_at": when,
        "state_since": when,
        "fields": { "summary": Value::from("It is broken") },
        "head": Digest::default(),
    });
    serde_json::from_value(record).expect("everything that has to be there is")
}

/// The step by which a record begins.
pub fn begin(number: &str, when: Instant, change: impl FnOnce(&mut Record)) -> RecordCommit {
    let mut record = new_record(number, when);
    change(&mut record);
    finish(None, record, when, None)
}

/// The step that changes a record so.
pub fn step(before: &Arc<Record>, when: Instant, change: impl FnOnce(&mut Record)) -> RecordCommit {
    let mut record = Record::clone(before);
    change(&mut record);
    finish(Some(before), record, when, None)
}

/// The same step under an idempotency key.
pub fn under_key(commit: &RecordCommit, key: &str) -> RecordCommit {
    let used = IdempotencyKey {
        key: key.to_owned(),
        request: Digest::of(key.as_bytes()),
    };
    let mut record = Record::clone(&commit.after);
    record.version -= 1;
    let when = record.updated_at;
    finish(commit.before.as_ref(), record, when, Some(used))
}

/// The same step, which tells these people something, each list by a notice of its own.
pub fn telling(commit: &RecordCommit, notices: &[&[&str]]) -> RecordCommit {
    let RecordCommit {
        before,
        after,
        mut entry,
        blobs,
        ..
    } = commit.clone();
    let notified = notices.iter().map(|people| Event::Notified {
        notice: id("resolved"),
        to: people.iter().map(|person| id(person)).collect(),
        subject: format!("{} works again", after.id),
        text: "Somebody turned it off and on.".to_owned(),
    });
    entry.events.extend(notified);
    let encoded_entry = encode(&entry);
    let mut record = Record::clone(&after);
    record.head = entry_hash(&record.id, &encoded_entry);
    RecordCommit {
        before,
        after: Arc::new(record),
        entry,
        encoded_entry,
        blobs,
        windows_as_of: None,
    }
}

/// A service.
pub fn thing(name: &str) -> Key {
    Key {
        kind: id("service"),
        id: id(name),
    }
}

/// A window from one second to another in which services may be disturbed.
pub fn window(from: i64, to: i64, services: &[&str]) -> PlannedWindow {
    PlannedWindow {
        from: at(from),
        to: at(to),
        affects: services.iter().map(|name| thing(name)).collect(),
    }
}

/// A commit of a step.
pub fn commit(step: RecordCommit) -> Commit {
    Commit::Record(Box::new(step))
}

fn finish(
    before: Option<&Arc<Record>>,
    mut record: Record,
    when: Instant,
    idempotency: Option<IdempotencyKey>,
) -> RecordCommit {
    record.version += 1;
    record.updated_at = when;
    record.head = Digest::default();
    // What the record is then stands in the entry, so that entries can be folded without an engine.
    let text = serde_json::to_string(&record).expect("a record can always be written");
    let was = before.and_then(|before| before.assignee.clone());
    let mut events = Vec::new();
    if record.assignee != was {
        events.push(Event::Assigned {
            team: record.team.clone(),
            assignee: record.assignee.clone(),
            reason: "Because.".to_owned(),
        });
    }
    let entry = Entry {
        version: record.version,
        previous: before.map_or_else(Digest::default, |before| before.head),
        command: Command {
            actor: Actor::timer(),
            at: when,
            action: Action::Comment {
                text,
                public: false,
            },
        },
        idempotency,
        configuration: Digest::of(b"configuration"),
        lookups: Vec::new(),
        decisions: Vec::new(),
        events,
    };
    let encoded_entry = encode(&entry);
    record.head = entry_hash(&record.id, &encoded_entry);
    RecordCommit {
        before: before.cloned(),
        after: Arc::new(record),
        entry,
        encoded_entry,
        blobs: Vec::new(),
        windows_as_of: None,
    }
}

/// Applies an entry of these samples.
///
/// # Errors
///
/// What does not read.
pub fn fold(
    _: Option<Record>,
    id: &RecordId,
    entry: &Entry,
    encoded: &[u8],
) -> Result<Record, String> {
    let Action::Comment { text, .. } = &entry.command.action else {
        return Err("no entry of these samples".to_owned());
    };
    let mut record: Record = serde_json::from_str(text).map_err(|error| error.to_string())?;
    record.head = entry_hash(id, encoded);
    Ok(record)
}

/// Something to be done outside.
pub fn effect(next_at: Instant, dead: bool) -> PendingEffect {
    PendingEffect {
        call: EffectCall::Deliver {
            binding: id("webhook"),
            kind: EventKind::Created,
            event: 0,
        },
        attempts: 0,
        next_at,
        dead,
        error: None,
    }
}

/// Which effect.
pub const fn effect_key(version: u64, index: u32) -> EffectKey {
    EffectKey { version, index }
}

/// An agreement that is awaited.
pub fn approval(opened_at: Instant) -> Approval {
    Approval {
        by: None,
        stages: vec![OpenStage {
            plan: StagePlan {
                id: id("cab"),
                approvers: Vec::new(),
                quorum: Quorum::Any(true),
                rejects: Rejects::default(),
                timeout: None,
                allow_self: false,
            },
            opened_at,
            opened_in: 1,
            needed: 1,
            entitled: std::collections::BTreeSet::default(),
            votes: BTreeMap::new(),
            due: None,
            reassigned: BTreeMap::new(),
            substitutes: BTreeMap::new(),
            look_at: None,
            timers: BTreeMap::new(),
            question: None,
            recalled: BTreeMap::new(),
        }],
        next: Vec::new(),
    }
}

/// A reference of a record.
pub fn reference(binding: &str, name: &str) -> (BindingId, String) {
    (id(binding), name.to_owned())
}

/// A change of the directory.
pub fn directory(kind: &str, thing: &str, value: Option<serde_json::Value>) -> Commit {
    let thing_value = value.map(|value| match value {
        serde_json::Value::Object(map) => Thing(map),
        _ => panic!("a thing is a map"),
    });
    Commit::Directory(DirectoryCommit {
        at: at(0),
        actor: "operator".to_owned(),
        change: Change {
            key: Key {
                kind: id(kind),
                id: id(thing),
            },
            thing: thing_value,
        },
    })
}
