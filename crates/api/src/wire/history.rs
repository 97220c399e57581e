//! The history of a record as clients see it: who asked what and when, what was decided by whom
//! and why, and what came of it.

use std::collections::BTreeSet;

use model::command::{Action, Actor as ModelActor, Who};
use model::definition::Choice;
use model::hook::{Answer, GoalAnswer, TargetAnswer};
use model::id::{RecordId, RoleId, TeamId, TransitionId};
use model::journal::{
    Decision as ModelDecision, Entry as ModelEntry, LookedUp, Lookup as ModelLookup,
};
use model::{Digest, Instant};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::event::{Event, failed};

/// A part of a record's history.
#[derive(Serialize, ToSchema)]
pub struct History<'a> {
    /// The record.
    #[schema(value_type = String)]
    pub(crate) record: &'a RecordId,
    /// Its entries, oldest first.
    pub(crate) entries: Vec<Entry<'a>>,
    /// What to give as `after` for the next part; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<u64>,
}

/// One accepted command, and all that followed from it.
#[derive(Serialize, ToSchema)]
pub struct Entry<'a> {
    /// Its place in the journal of the whole desk.
    position: u64,
    /// The version of the record after it.
    version: u64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// When what was due of the record, and is done here, was due: where that was more than a second
    /// before, because the server was down or busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Instant>,
    /// Who asked, with what they were at the time.
    actor: Actor<'a>,
    /// What was asked: `create`, `transition`, `update`, `comment`, `link`, `watch`, `vote`, `wake`, ….
    #[schema(example = "transition")]
    what: &'static str,
    /// The transition, or the way to begin, that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    transition: Option<&'a TransitionId>,
    /// What was given with it: the fields, the form, the comment, ….
    input: Value,
    /// The digest of the definitions in force.
    #[schema(value_type = String)]
    configuration: &'a Digest,
    /// The hash of the record's entry before: the chain that shows tampering.
    #[schema(value_type = String)]
    previous: &'a Digest,
    /// What tables and plugins answered.
    decisions: Vec<Decision>,
    /// What was read beyond the record.
    lookups: Vec<Lookup<'a>>,
    /// What came of it.
    events: Vec<Event>,
}

/// Who asked.
#[derive(Serialize, ToSchema)]
pub struct Actor<'a> {
    /// Their id.
    id: String,
    /// `person`, `binding`, `timer` or `operator`.
    kind: &'static str,
    /// Their roles.
    #[schema(value_type = Vec<String>)]
    roles: &'a BTreeSet<RoleId>,
    /// The teams they were in.
    #[schema(value_type = Vec<String>)]
    teams: &'a BTreeSet<TeamId>,
}

/// An answer at a hook or from a table.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(clippy::large_enum_variant, reason = "it lives for one answer")]
pub enum Decision {
    /// A decision table.
    Table {
        /// Which.
        table: String,
        /// The row that answered, the first where several did; absent where none did.
        row: Option<String>,
        /// The other rows that answered.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        more: Vec<String>,
    },
    /// A plugin at a hook.
    Hook(HookDecision),
    /// An expression that failed, and so was not true.
    Failed {
        /// Where it stands.
        place: String,
        /// What went wrong.
        message: String,
    },
    /// A transition that the workflow took by itself.
    Automatic {
        /// Which.
        transition: String,
        /// Why.
        reason: String,
    },
}

/// What a plugin was asked and answered.
#[derive(Serialize, ToSchema)]
pub struct HookDecision {
    /// The hook.
    hook: &'static str,
    /// The binding.
    binding: String,
    /// The digest of the component that answered.
    component: Option<String>,
    /// The digest of the question.
    input: String,
    /// The answer.
    answer: Option<Value>,
    /// Why, in the plugin's words.
    reason: Option<String>,
    /// Why there is no answer that counts.
    failure: Option<Value>,
    /// Whether the definition's fallback was taken instead.
    fallback: bool,
    /// How long the call took, in microseconds.
    duration_us: u64,
}

/// Something that was read beyond the record.
#[derive(Serialize, ToSchema)]
pub struct Lookup<'a> {
    /// Where.
    what: Value,
    /// The digest of what was found; absent where nothing was.
    #[schema(value_type = Option<String>)]
    found: Option<&'a Digest>,
}

impl<'a> Entry<'a> {
    /// The entry at a position of the journal.
    pub(crate) fn new(position: u64, entry: &'a ModelEntry) -> Self {
        let (transition, input) = asked(&entry.command.action);
        Self {
            position,
            version: entry.version,
            at: entry.command.at,
            due: (entry.was_due()).filter(|due| entry.delay(*due).is_some()),
            actor: Actor::from(&entry.command.actor),
            what: entry.command.action.name(),
            transition,
            input,
            configuration: &entry.configuration,
            previous: &entry.previous,
            decisions: entry.decisions.iter().map(Decision::from).collect(),
            lookups: entry.lookups.iter().map(Lookup::from).collect(),
            events: entry.events.iter().map(Event::from).collect(),
        }
    }
}

impl<'a> From<&'a ModelActor> for Actor<'a> {
    fn from(actor: &'a ModelActor) -> Self {
        let kind = match actor.who {
            Who::Person(_) => "person",
            Who::Binding(_) => "binding",
            Who::Timer => "timer",
            Who::Operator => "operator",
        };
        Self {
            id: actor.id().into(),
            kind,
            roles: &actor.roles,
            teams: &actor.teams,
        }
    }
}

/// The transition that an action names, and what it was given.
fn asked(action: &Action) -> (Option<&TransitionId>, Value) {
    let input = match action {
        Action::Create(create) => {
            let link = create
                .link
                .as_ref()
                .map(|(kind, target)| json!({ "kind": kind, "target": target }));
            let input = json!({ "workflow": create.workflow, "item": create.item, "requester": create.requester, "fields": create.fields, "link": link });
            return (create.via.as_ref(), input);
        }
        Action::Transition { name, input } => return (Some(name), json!(input)),
        Action::Update { fields } => json!(fields),
        Action::Comment { text, public } => json!({ "text": text, "public": public }),
        Action::Link {
            kind,
            target,
            inverse,
        } => json!({ "kind": kind, "target": target, "inverse": inverse }),
        Action::Watch { person, watches } => json!({ "person": person, "watches": watches }),
        Action::Vote {
            choice,
            comment,
            stage,
            instead_of,
            link,
        } => json!({
            "approves": choice.approves(), "abstains": *choice == Choice::Abstain,
            "comment": comment, "stage": stage, "instead_of": instead_of, "by_link": link.is_some(),
        }),
        Action::RecallVote { stage } => json!({ "stage": stage }),
        Action::ReassignVote {
            stage,
            from,
            to,
            comment,
        } => json!({ "stage": stage, "from": from, "to": to, "comment": comment }),
        Action::AskInformation { stage, question } => {
            json!({ "stage": stage, "question": question })
        }
        Action::Wake => json!({}),
        Action::EffectResult {
            effect,
            result: Ok(done),
        } => {
            json!({ "effect": effect, "component": done.component, "created": done.created, "duration_us": done.micros })
        }
        Action::EffectResult {
            effect,
            result: Err(failure),
        } => json!({ "effect": effect, "failure": failed(failure) }),
        Action::TaskEnded {
            of,
            record,
            outcome,
        } => json!({ "task": of.task, "record": record, "outcome": outcome }),
        Action::Migrate(migrate) => json!({
            "to": migrate.to, "clocks": migrate.clocks, "back": migrate.back.is_some(),
        }),
        Action::Redrive { effect } => json!({ "effect": effect }),
        Action::DirectoryChanged { position } => json!({ "position": position }),
        Action::Refer { binding, reference } => {
            json!({ "binding": binding, "reference": reference })
        }
    };
    (None, input)
}

impl From<&ModelDecision> for Decision {
    fn from(decision: &ModelDecision) -> Self {
        match decision {
            ModelDecision::Table { table, row, more } => Self::Table {
                table: table.to_string(),
                row: row.as_ref().map(ToString::to_string),
                more: more.iter().map(ToString::to_string).collect(),
            },
            ModelDecision::Hook(hook) => Self::Hook(HookDecision {
                hook: hook.hook.as_str(),
                binding: hook.binding.to_string(),
                component: hook.component.map(|digest| digest.to_string()),
                input: hook.input.to_string(),
                answer: hook.answer.as_ref().map(answer),
                reason: hook.answer.as_ref().and_then(reason),
                failure: hook.failure.as_ref().map(failed),
                fallback: hook.failure.is_some(),
                duration_us: hook.micros,
            }),
            ModelDecision::Failed { place, message } => Self::Failed {
                place: place.clone(),
                message: message.clone(),
            },
            ModelDecision::Automatic { transition, reason } => Self::Automatic {
                transition: transition.to_string(),
                reason: reason.clone(),
            },
        }
    }
}

impl<'a> From<&'a ModelLookup> for Lookup<'a> {
    fn from(lookup: &'a ModelLookup) -> Self {
        let what = match &lookup.what {
            LookedUp::Thing(key) => json!({ "thing": { "kind": key.kind, "id": key.id } }),
            LookedUp::Role(role) => json!({ "role": role }),
            LookedUp::Record(record) => json!({ "record": record }),
            LookedUp::Query(query) => json!({ "query": query }),
        };
        Self {
            what,
            found: lookup.found.as_ref(),
        }
    }
}

/// A plugin's answer, without its reasons where they are given apart.
fn answer(answer: &Answer) -> Value {
    match answer {
        Answer::Assignment { team, assignee, .. } => {
            json!({ "assign": { "team": team, "assignee": assignee } })
        }
        Answer::Targets(targets) => {
            json!({ "targets": targets.iter().map(target).collect::<Vec<_>>() })
        }
        Answer::Approve { .. } => json!({ "approve": true }),
        Answer::Reject { .. } => json!({ "reject": true }),
        Answer::Ask(stages) => json!({ "ask": stages }),
    }
}

fn target(answer: &TargetAnswer) -> Value {
    let goal = match &answer.goal {
        GoalAnswer::Within(limit) => {
            json!({ "within": limit.duration, "calendar": limit.calendar })
        }
        GoalAnswer::DueAt(instant) => json!({ "due_at": instant }),
    };
    json!({ "target": answer.target, "goal": goal, "warn_at_percent": answer.warn_at_percent, "reason": answer.reason })
}

/// Why, in the plugin's words; several reasons one after the other, each once.
fn reason(answer: &Answer) -> Option<String> {
    let mut reasons: Vec<&str> = match answer {
        Answer::Assignment { reason, .. }
        | Answer::Approve { reason }
        | Answer::Reject { reason } => vec![reason],
        Answer::Targets(targets) => targets
            .iter()
            .map(|target| target.reason.as_str())
            .collect(),
        Answer::Ask(stages) => stages.iter().map(|stage| stage.reason.as_str()).collect(),
    };
    reasons.retain(|reason| !reason.is_empty());
    reasons.dedup();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use model::command::{Action, Actor, Command, Who};
    use model::event::{Event, SetBy};
    use model::hook::{Answer, Hook};
    use model::id::{BindingId, FieldId, PersonId, TransitionId};
    use model::journal::{Decision, Entry, HookDecision};
    use model::{Digest, Instant, Value};

    #[test]
    fn an_entry_says_who_asked_what_was_decided_and_what_came_of_it()
    -> Result<(), Box<dyn std::error::Error>> {
        let entry = Entry {
            version: 2,
            previous: Digest::default(),
            command: Command {
                actor: Actor {
                    who: Who::Person(PersonId::new("ada")?),
                    roles: ["agent".parse()?].into(),
                    teams: ["service-desk".parse()?].into(),
                },
                at: Instant::from_millis(1_772_357_400_000),
                action: Action::Transition {
                    name: TransitionId::new("take")?,
                    input: serde_json::Map::new(),
                },
            },
            idempotency: None,
            configuration: Digest::default(),
            lookups: Vec::new(),
            decisions: vec![Decision::Hook(HookDecision {
                hook: Hook::Routing,
                binding: BindingId::new("skills-router")?,
                component: None,
                input: Digest::default(),
                answer: Some(Answer::Assignment {
                    team: "network".into(),
                    assignee: None,
                    reason: "the team for the network".into(),
                }),
                failure: None,
                micros: 31,
            })],
            events: vec![Event::FieldSet {
                field: FieldId::new("urgency")?,
                value: Value::Text("high".into()),
                by: SetBy::Form,
            }],
        };
        let text = serde_json::to_string_pretty(&super::Entry::new(17, &entry))?;
        expect![[r#"
            {
              "position": 17,
              "version": 2,
              "at": "2026-03-01T09:30:00Z",
              "actor": {
                "id": "ada",
                "kind": "person",
                "roles": [
                  "agent"
                ],
                "teams": [
                  "service-desk"
                ]
              },
              "what": "transition",
              "transition": "take",
              "input": {},
              "configuration": "sha256:0…",
              "previous": "sha256:0…",
              "decisions": [
                {
                  "kind": "hook",
                  "hook": "routing",
                  "binding": "skills-router",
                  "component": null,
                  "input": "sha256:0…",
                  "answer": {
                    "assign": {
                      "team": "network",
                      "assignee": null
                    }
                  },
                  "reason": "the team for the network",
                  "failure": null,
                  "fallback": false,
                  "duration_us": 31
                }
              ],
              "lookups": [],
              "events": [
                {
                  "kind": "field-set",
                  "field": "urgency",
                  "value": "high",
                  "by": "form"
                }
              ]
            }"#]]
        .assert_eq(&text.replace(&"0".repeat(64), "0…"));
        Ok(())
    }
}
