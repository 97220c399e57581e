//! A click on a button, and what becomes of it: the vote of a person, or a word to whoever clicked.

use serde::Deserialize;
use servicewright_sdk::commands::{Change, Command, Subject};
use servicewright_sdk::{OrInvalid, Result};

use crate::memory::Told;
use crate::message::{APPROVE, REJECT};
use crate::settings::{Clicks, Settings};
use crate::text;

/// What the journal keeps beside the vote: where it was given.
const REASON: &str = "Voted by a button in Slack.";

/// What Slack tells of something done in a message, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    team: Option<Team>,
    #[serde(default)]
    container: Option<Container>,
    #[serde(default)]
    actions: Vec<Pressed>,
}

#[derive(Debug, Deserialize)]
struct User {
    id: String,
    /// Somebody of another workspace may be in a shared channel.
    #[serde(default)]
    team_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Team {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Container {
    #[serde(default)]
    message_ts: String,
    #[serde(default)]
    channel_id: String,
}

#[derive(Debug, Deserialize)]
struct Pressed {
    action_id: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    action_ts: String,
}

/// Which question a button answers.
#[derive(Debug, Deserialize)]
struct Question {
    record: String,
    stage: String,
    round: u64,
}

/// What becomes of a click.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It is not about a vote.
    Nothing,
    /// The person who clicked is told why it does not count.
    Told {
        channel: String,
        user: String,
        text: String,
    },
    Vote {
        command: Command,
        /// The click, and no other.
        delivery: String,
    },
}

/// Reads a payload and says what becomes of it.
///
/// # Errors
/// Where the payload is none of Slack's.
pub(crate) fn answer(settings: &Settings, clicks: &Clicks, payload: &str) -> Result<Outcome> {
    let payload: Payload =
        serde_json::from_str(payload).or_invalid("the payload is not one of Slack's")?;
    if payload.kind != "block_actions" {
        return Ok(Outcome::Nothing);
    }
    let ours = |pressed: &&Pressed| [APPROVE, REJECT].contains(&pressed.action_id.as_str());
    let Some(pressed) = payload.actions.iter().find(ours) else {
        return Ok(Outcome::Nothing);
    };
    let user = payload.user.or_invalid("the click has no user")?;
    let container = payload.container.or_invalid("the click has no message")?;
    if pressed.action_ts.is_empty() {
        return Err(servicewright_sdk::Error::invalid_input(
            "the click has no time",
        ));
    }
    let question: Question =
        serde_json::from_str(&pressed.value).or_invalid("the button answers nothing")?;
    let team = payload.team.map(|team| team.id);
    let at_home = [team.as_ref(), user.team_id.as_ref()]
        .into_iter()
        .flatten()
        .all(|team| *team == clicks.workspace);
    let person = settings
        .people
        .get(&user.id)
        .filter(|_| at_home && team.is_some());
    let told = |text: String| Outcome::Told {
        channel: container.channel_id.clone(),
        user: user.id.clone(),
        text,
    };
    let Some(person) = person else {
        return Ok(told(
            "The desk does not know you by your Slack account, so your click does not count. \
             Vote at the desk, or ask whoever runs it to put you in."
                .to_owned(),
        ));
    };
    if let Some(why) = objection(&question, &container, person)? {
        return Ok(told(why));
    }
    let vote = Change::Vote {
        approves: pressed.action_id == APPROVE,
        reason: Some(REASON.to_owned()),
    };
    let Question { record, round, .. } = question;
    let delivery = format!("{}/{}/{record}/{round}", pressed.action_ts, user.id);
    let command = Command::change(Subject::id(record), vote).on_behalf_of(person);
    Ok(Outcome::Vote { command, delivery })
}

/// Why the click does not count, by what is remembered; the desk itself has the last word.
fn objection(question: &Question, container: &Container, person: &str) -> Result<Option<String>> {
    let record = text::plain(&question.record, 60);
    let over =
        format!("{record} no longer waits for this agreement, so your click does not count.");
    let told = Told::of(&question.record)?
        .filter(|told| told.is_at(&container.channel_id, &container.message_ts));
    let approval = told.and_then(|told| told.approval).filter(|approval| {
        approval.is_open() && approval.stage == question.stage && approval.round == question.round
    });
    let Some(approval) = approval else {
        return Ok(Some(over));
    };
    if approval.has_vote_of(person) {
        return Ok(Some(format!(
            "Your vote on {record} has been counted already."
        )));
    }
    let asked = approval.entitled.as_ref();
    if asked.is_some_and(|entitled| !entitled.iter().any(|one| one == person)) {
        return Ok(Some(format!(
            "You are not among those whose agreement {record} waits for, so your click does not count."
        )));
    }
    Ok(None)
}
