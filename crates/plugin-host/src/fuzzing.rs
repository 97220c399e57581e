//! What the fuzz targets of `fuzz/` reach of the inside: each takes what a stranger might have written,
//! and panics where that does harm.

use std::sync::OnceLock;

use model::hook::{Answer, Failure};
use serde_json::{Map, Value as Json};
use wasmtime::Engine;

use crate::contract::v1::bindings::approver::exports::servicewright::plugin::approval;
use crate::contract::v1::bindings::calculator::exports::servicewright::plugin::service_level;
use crate::contract::v1::bindings::contract::commands as wire;
use crate::contract::v1::bindings::contract::types::{Field, PluginError, Retry, TimeLimit, Value};
use crate::contract::v1::bindings::receiver::exports::servicewright::plugin::webhook;
use crate::contract::v1::bindings::router::exports::servicewright::plugin::routing;
use crate::contract::v1::convert::{answer, commands, of_plugin};
use crate::failure::{Stop, failure};
use crate::link::Linkers;
use crate::manifest::Manifest;
use crate::runtime::config;
use crate::{compiled, inspect};

/// How large a component is compiled here: a bomb of any size takes its time, which tells nothing new.
const COMPILED: usize = 2_000;

/// Reads a manifest, and holds settings to its schema.
pub fn manifest(manifest: &[u8], settings: &[u8]) {
    let (Ok(manifest), Ok(Json::Object(settings))) = (
        serde_json::from_slice(manifest),
        serde_json::from_slice(settings),
    ) else {
        return;
    };
    if let Ok(manifest) = Manifest::read(&manifest) {
        let _ = manifest.check_settings(&settings);
        let _ = manifest.check_settings(&Map::new());
    }
}

/// Looks at a file, and where it is a component, compiles and links it. Nothing of it is run.
pub fn component(bytes: &[u8]) {
    static LINKERS: OnceLock<(Engine, Linkers)> = OnceLock::new();
    let Ok(inspection) = inspect::inspect(bytes) else {
        return;
    };
    if let Some(Ok(manifest)) = inspection.manifest.as_ref().map(Manifest::read) {
        let _ = manifest.check_settings(&Map::new());
    }
    let _ = inspect::foreign_hooks(bytes);
    if bytes.len() > COMPILED {
        return;
    }
    let (engine, linkers) = LINKERS.get_or_init(|| {
        let engine = Engine::new(&config()).expect("an engine");
        let linkers = Linkers::new(&engine).expect("what the host offers");
        (engine, linkers)
    });
    let Ok(code) = engine.precompile_component(bytes) else {
        return;
    };
    let component = compiled::deserialize(engine, &code).expect("our own code loads");
    let _ = linkers.load(&component, inspection, None);
}

/// Answers at every hook, made of what a stranger wrote.
#[derive(Debug)]
pub struct Answers {
    /// What is left of those at pure hooks once they are measured, in the order in which a desk asks.
    pub pure: Vec<Result<Answer, Failure>>,
}

impl Answers {
    /// Reads as many answers as these bytes hold, and measures them.
    pub fn of(bytes: &[u8]) -> Self {
        let mut from = Source(bytes);
        let mut pure = Vec::new();
        while !from.0.is_empty() && pure.len() < 8 {
            let measured = match from.byte() % 6 {
                0 => from.answer(Source::assignment, answer::assignment),
                1 => from.answer(Source::verdict, answer::verdict),
                2 => from.answer(Source::targets, answer::targets),
                3 => {
                    let _ = commands::all(from.list(Source::command));
                    continue;
                }
                4 => {
                    let _ = commands::reply(from.reply());
                    continue;
                }
                _ => Err(of_plugin(from.error())),
            };
            pure.push(measured);
        }
        Self { pure }
    }
}

/// Bytes, read as the values of the contract. Once they are used up, everything is empty.
struct Source<'a>(&'a [u8]);

impl Source<'_> {
    fn answer<T>(
        &mut self,
        read: fn(&mut Self) -> T,
        measure: fn(T) -> Result<Answer, Stop>,
    ) -> Result<Answer, Failure> {
        measure(read(self)).map_err(|stop| failure(stop.kind, &stop))
    }

    fn byte(&mut self) -> u8 {
        self.bytes::<1>()[0]
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let count = N.min(self.0.len());
        let (taken, rest) = self.0.split_at(count);
        bytes[..count].copy_from_slice(taken);
        self.0 = rest;
        bytes
    }

    fn number(&mut self) -> u64 {
        // Small ones and very large ones are what matters.
        match self.byte() {
            255 => u64::MAX,
            254 => u64::from_le_bytes(self.bytes()),
            small => u64::from(small),
        }
    }

    fn small(&mut self) -> u32 {
        u32::try_from(self.number()).unwrap_or(u32::MAX)
    }

    /// A name that the desk knows, a long text, or whatever stands there.
    fn text(&mut self) -> String {
        const KNOWN: [&str; 8] = [
            "cab", "ada", "ben", "decision", "office", "agent", "board", "",
        ];
        match self.byte() {
            long @ 250.. => "x".repeat(usize::from(long) * 20),
            known @ 200.. => KNOWN[usize::from(known) % KNOWN.len()].to_owned(),
            length => {
                let count = usize::from(length % 32).min(self.0.len());
                let (taken, rest) = self.0.split_at(count);
                self.0 = rest;
                String::from_utf8_lossy(taken).into_owned()
            }
        }
    }

    fn option<T>(&mut self, read: fn(&mut Self) -> T) -> Option<T> {
        self.byte().is_multiple_of(2).then(|| read(self))
    }

    fn list<T>(&mut self, read: fn(&mut Self) -> T) -> Vec<T> {
        let length = match self.byte() {
            // More than any list may have.
            255 => 600,
            length => usize::from(length % 8),
        };
        (0..length).map(|_| read(self)).collect()
    }

    fn assignment(&mut self) -> routing::Assignment {
        routing::Assignment {
            team: self.text(),
            assignee: self.option(Self::text),
            reason: self.text(),
        }
    }

    fn verdict(&mut self) -> approval::Verdict {
        match self.byte() % 3 {
            0 => approval::Verdict::Approve(self.text()),
            1 => approval::Verdict::Reject(self.text()),
            _ => approval::Verdict::Ask(self.list(Self::stage)),
        }
    }

    fn stage(&mut self) -> approval::Stage {
        approval::Stage {
            id: self.text(),
            approvers: self.list(|from| match from.byte() % 3 {
                0 => approval::Approver::User(from.text()),
                1 => approval::Approver::Team(from.text()),
                _ => approval::Approver::Role(from.text()),
            }),
            quorum: match self.byte() % 4 {
                0 => approval::Quorum::All,
                1 => approval::Quorum::Any,
                2 => approval::Quorum::Count(self.small()),
                _ => approval::Quorum::Percent(self.small()),
            },
            timeout: self.option(Self::limit),
            reason: self.text(),
        }
    }

    fn limit(&mut self) -> TimeLimit {
        TimeLimit {
            duration: self.number(),
            calendar: self.option(Self::text),
        }
    }

    fn targets(&mut self) -> Vec<service_level::Target> {
        self.list(|from| service_level::Target {
            id: from.text(),
            goal: if from.byte().is_multiple_of(2) {
                service_level::Goal::Within(from.limit())
            } else {
                service_level::Goal::DueAt(from.number().cast_signed())
            },
            warn_at_percent: from.list(Self::small),
            reason: from.text(),
        })
    }

    fn value(&mut self) -> Value {
        match self.byte() % 8 {
            0 => Value::Null,
            1 => Value::Boolean(self.byte().is_multiple_of(2)),
            2 => Value::Integer(self.number().cast_signed()),
            3 => Value::Number(f64::from_le_bytes(self.bytes())),
            4 => Value::Text(self.text()),
            5 => Value::Instant(self.number().cast_signed()),
            6 => Value::Texts(self.list(Self::text)),
            _ => Value::Json(self.text()),
        }
    }

    fn fields(&mut self) -> Vec<Field> {
        self.list(|from| Field {
            id: from.text(),
            value: from.value(),
        })
    }

    fn subject(&mut self) -> wire::Subject {
        match self.byte() % 2 {
            0 => wire::Subject::Id(self.text()),
            _ => wire::Subject::Reference(self.text()),
        }
    }

    fn command(&mut self) -> wire::Command {
        let on_behalf_of = self.option(Self::text);
        let action = match self.byte() % 8 {
            0 => wire::Action::Create(wire::NewRecord {
                workflow: self.text(),
                fields: self.fields(),
                reference: self.option(Self::text),
            }),
            kind => wire::Action::Change((self.subject(), self.change(kind))),
        };
        wire::Command {
            on_behalf_of,
            action,
        }
    }

    fn change(&mut self, kind: u8) -> wire::Change {
        match kind {
            1 => wire::Change::Transition(wire::Transition {
                name: self.text(),
                input: self.fields(),
            }),
            2 => wire::Change::Update(self.fields()),
            3 => wire::Change::Assign(wire::Assignment {
                team: self.text(),
                assignee: self.option(Self::text),
            }),
            4 => wire::Change::Vote(wire::Vote {
                approves: self.byte().is_multiple_of(2),
                reason: self.option(Self::text),
            }),
            5 => wire::Change::Comment(wire::Comment {
                text: self.text(),
                public: self.byte().is_multiple_of(2),
            }),
            6 => wire::Change::Link(wire::Link {
                kind: self.text(),
                target: self.subject(),
            }),
            _ => wire::Change::Refer(self.text()),
        }
    }

    fn reply(&mut self) -> webhook::Reply {
        webhook::Reply {
            response: webhook::HttpResponse {
                status: u16::try_from(self.small()).unwrap_or(200),
                headers: self.list(|from| (from.text(), from.text())),
                body: self.text().into_bytes(),
            },
            delivery: self.option(Self::text),
            commands: self.list(Self::command),
        }
    }

    fn error(&mut self) -> PluginError {
        match self.byte() % 4 {
            0 => PluginError::InvalidInput(self.text()),
            1 => PluginError::Misconfigured(self.text()),
            2 => PluginError::Unavailable(Retry {
                message: self.text(),
                after: self.option(Self::number),
            }),
            _ => PluginError::Internal(self.text()),
        }
    }
}
