//! Hears from PagerDuty: finds out whether it is PagerDuty, and turns what happened to an incident into
//! commands on its record.

use serde_json::{Map, Value as Json};
use servicewright_sdk::commands::{Command, Subject};
use servicewright_sdk::webhook::{self, Call, Reply, Request, Response};
use servicewright_sdk::{Error, Fields, Instant, Result, log};

use crate::incident::{self, Incident, Told};
use crate::settings::{Create, Receive, Settings};
use crate::{PagerDuty, cut, signature};

/// What a title may have, here and at most desks.
const TITLE_CHARS: usize = 200;
/// Of what was said in PagerDuty, as much is noted.
const COMMENT_CHARS: usize = 4_000;

impl webhook::Webhook for PagerDuty {
    fn receive(call: &Call, request: &Request) -> webhook::Result<Reply> {
        let settings: Settings = call.settings()?;
        let receive = settings
            .receive
            .as_ref()
            .ok_or_else(|| Error::misconfigured("`receive` does not say whom to believe"))?;
        if request.method != "POST" {
            let mut response = Response::text(405, "Send a POST.");
            let allow = ("allow".to_owned(), "POST".to_owned());
            response.headers.push(allow);
            return Ok(Reply::new(response));
        }
        // Before anything is read out of the body: who sent it.
        let signatures = request.header("x-pagerduty-signature");
        if let Err(why) = signature::check(receive, signatures, &request.body)? {
            log::warn(format!("refused a request: {why}"));
            return Ok(refusal(401, why));
        }
        match take(&settings, receive, call.now, &request.body) {
            Err(Error::InvalidInput(why)) => {
                Ok(refusal(400, &format!("The request is unclear: {why}.")))
            }
            other => other,
        }
    }
}

fn refusal(status: u16, why: &str) -> Reply {
    Reply::new(Response::text(status, why))
}

fn take(settings: &Settings, receive: &Receive, now: Instant, body: &[u8]) -> Result<Reply> {
    let told = Told::read(body)?;
    let Ok(occurred) = told.occurred_at.parse::<Instant>() else {
        return Err(Error::invalid_input("`occurred_at` is no time"));
    };
    // The signature has no time of its own, and deliveries are not remembered for ever.
    if now.since(occurred) > receive.tolerance.0 {
        return Ok(refusal(401, "The event is too old."));
    }
    let commands = match told.what() {
        None => Vec::new(),
        Some(what @ ("annotated" | "status_update_published")) => below(receive, &told, what)?,
        Some(what) if what.starts_with("responder.") => below(receive, &told, what)?,
        Some(what) => of_incident(settings, receive, &told, what)?,
    };
    let taken = Reply::new(Response::status(200));
    Ok(taken.delivery(told.id).commands(commands))
}

/// What was said below an incident is noted on its record.
fn below(receive: &Receive, told: &Told, what: &str) -> Result<Vec<Command>> {
    let below = told.below()?;
    let sentence = below.sentence(what, told.by());
    let Some(sentence) = sentence.filter(|_| receive.comments) else {
        return Ok(Vec::new());
    };
    let record = Subject::reference(incident::reference(&below.incident.id));
    Ok(vec![Command::comment(
        record,
        cut(&sentence, COMMENT_CHARS),
    )])
}

fn of_incident(
    settings: &Settings,
    receive: &Receive,
    told: &Told,
    what: &str,
) -> Result<Vec<Command>> {
    let incident = told.incident()?;
    let reference = incident::reference(&incident.id);
    let Some(record) = incident.record(&settings.source) else {
        return Ok(of_theirs(receive, told, what, &incident));
    };
    let record = Subject::id(record);
    // What the desk itself caused comes back as this; only that the incident is there is new.
    let mut commands = Vec::new();
    if what == "triggered" {
        commands.push(Command::refer(record.clone(), reference));
    } else if !told.is_by_a_person() {
        return Ok(commands);
    }
    commands.extend(done(receive, told, what, &incident, record));
    Ok(commands)
}

/// An incident that did not begin here.
fn of_theirs(receive: &Receive, told: &Told, what: &str, incident: &Incident) -> Vec<Command> {
    let Some(create) = &receive.create else {
        return Vec::new();
    };
    let reference = incident::reference(&incident.id);
    let record = Subject::reference(&reference);
    let mut commands = Vec::new();
    // PagerDuty promises no order: whatever comes first makes the record. An end makes none.
    if what != "resolved" {
        let fields = fields(create, incident);
        let begun = Command::create(&create.workflow, fields).reference(reference);
        commands.push(begun);
        let origin = incident::origin(&incident.id);
        commands.push(Command::refer(record.clone(), origin));
    }
    if what != "triggered" {
        commands.extend(done(receive, told, what, incident, record));
    }
    commands
}

/// The transition that goes with what happened, or else a comment.
fn done(
    receive: &Receive,
    told: &Told,
    what: &str,
    incident: &Incident,
    record: Subject,
) -> Option<Command> {
    if let Some(transition) = receive.transitions.get(what) {
        let input = to_fields(&transition.input);
        return Some(Command::transition(record, &transition.name, input));
    }
    let sentence = incident.sentence(what, told.by());
    let comment = Command::comment(record, cut(&sentence, COMMENT_CHARS));
    receive.comments.then_some(comment)
}

fn fields(create: &Create, incident: &Incident) -> Fields {
    let mut fields = to_fields(&create.set);
    let urgency = incident.urgency.as_deref().unwrap_or_default();
    if let Some(more) = create.urgencies.get(urgency) {
        for (name, value) in more {
            fields.set(name, value.clone());
        }
    }
    let title = incident
        .title
        .as_deref()
        .unwrap_or("An incident in PagerDuty");
    fields.set(&create.title, cut(title, TITLE_CHARS));
    if let Some(description) = &create.description {
        fields.set(description, incident.provenance());
    }
    fields
}

fn to_fields(json: &Map<String, Json>) -> Fields {
    json.iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect()
}
