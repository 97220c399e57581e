//! What happened, read out of the event: who did it, what it was in a line, and what it says of an
//! agreement that the record waits for.

use serde::Deserialize;
use serde_json::Value as Json;
use servicewright_sdk::delivery::Event;
use servicewright_sdk::{OrInvalid, Result};

use crate::text;

/// The longest line about what happened, as Slack counts.
const LINE: usize = 600;
/// The longest piece of it that somebody wrote.
const SAID: usize = 400;
/// More people than this are not kept; the desk itself knows who may vote.
const MOST_ENTITLED: usize = 500;

/// What happened.
#[derive(Debug)]
pub(crate) struct Happening {
    /// Its kind, as bindings subscribe to it.
    pub(crate) kind: String,
    /// A person, `binding:` and its id, or `timer`.
    pub(crate) actor: String,
    pub(crate) agreement: Option<Agreement>,
    change: Json,
}

/// What an event says of an agreement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Agreement {
    Asked(Stage),
    Voted(Vote),
    Ended { outcome: String, reason: String },
}

/// A stage that opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    pub(crate) id: String,
    pub(crate) needed: u32,
    /// None where there are too many to keep.
    pub(crate) entitled: Option<Vec<String>>,
}

/// A vote.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Vote {
    pub(crate) stage: String,
    pub(crate) person: String,
    pub(crate) approves: bool,
    #[serde(default)]
    pub(crate) comment: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    data: Inner,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    actor: String,
    /// One entry: what changed, by name.
    #[serde(default)]
    change: Json,
}

#[derive(Deserialize)]
struct WireEnded {
    outcome: String,
    reason: String,
}

#[derive(Deserialize)]
struct WireApproval {
    stage: WireStage,
}

#[derive(Deserialize)]
struct WireStage {
    plan: WirePlan,
    needed: u32,
    #[serde(default)]
    entitled: Vec<String>,
}

#[derive(Deserialize)]
struct WirePlan {
    id: String,
}

impl Happening {
    /// # Errors
    /// Where the event is not as this server writes it.
    pub(crate) fn read(event: &Event) -> Result<Self> {
        let Data { data } = serde_json::from_str(&event.data).or_invalid("the event is unclear")?;
        let (_, kind) = event
            .kind
            .rsplit_once('.')
            .unwrap_or(("", event.kind.as_str()));
        Ok(Self {
            kind: kind.to_owned(),
            actor: data.actor,
            agreement: agreement(&data.change)?,
            change: data.change,
        })
    }

    /// It in a line, for people.
    pub(crate) fn line(&self, event: &Event) -> String {
        let actor = text::plain(&self.actor, 100);
        let change = |what: &str, name: &str| {
            let said = self.change[what][name].as_str().unwrap_or_default();
            text::line(said, SAID)
        };
        let promise = |what: &str| {
            let clock = &self.change[what]["clock"];
            text::line(clock["target"].as_str().unwrap_or("a goal"), SAID)
        };
        let line = match self.kind.as_str() {
            "created" => format!("Opened by {actor}"),
            "transitioned" => {
                let state = text::plain(&event.record.state, 100);
                format!("Moved to {state} by {actor}")
            }
            "assigned" => format!("Assigned: {}", change("assigned", "reason")),
            "commented" => format!("{actor} wrote: {}", change("commented", "text")),
            "linked" => format!("Linked to {}", change("linked", "target")),
            "approval-asked" => "Waits for an agreement".to_owned(),
            "voted" => format!("A vote of {}", change("voted", "person")),
            "approval-decided" => format!("Decided: {}", change("approval-ended", "outcome")),
            "warned" => format!("Little time is left for {}", promise("warned")),
            "breached" => format!("The time for {} is over", promise("breached")),
            "notice" => change("notified", "subject"),
            "updated" => format!("Changed by {actor}"),
            other => text::plain(other, 100),
        };
        // Every piece is escaped, so that cutting may only happen where it was put together.
        if line.encode_utf16().count() > LINE {
            return text::plain(&self.kind, 100);
        }
        line
    }

    /// Whether people should be told even where a message of the record is already there: an update
    /// shows on nobody's screen.
    pub(crate) fn is_news(&self) -> bool {
        let news = [
            "approval-asked",
            "commented",
            "warned",
            "breached",
            "notice",
        ];
        news.contains(&self.kind.as_str())
    }
}

fn agreement(change: &Json) -> Result<Option<Agreement>> {
    let wrong = "the event's change is unclear";
    if let Some(opened) = change.get("stage-opened") {
        let WireApproval { stage } =
            serde_json::from_value(opened["approval"].clone()).or_invalid(wrong)?;
        let few = stage.entitled.len() <= MOST_ENTITLED;
        return Ok(Some(Agreement::Asked(Stage {
            id: stage.plan.id,
            needed: stage.needed,
            entitled: few.then_some(stage.entitled),
        })));
    }
    if let Some(vote) = change.get("voted") {
        let vote = serde_json::from_value(vote.clone()).or_invalid(wrong)?;
        return Ok(Some(Agreement::Voted(vote)));
    }
    if let Some(ended) = change.get("approval-ended") {
        let WireEnded { outcome, reason } =
            serde_json::from_value(ended.clone()).or_invalid(wrong)?;
        return Ok(Some(Agreement::Ended { outcome, reason }));
    }
    Ok(None)
}
