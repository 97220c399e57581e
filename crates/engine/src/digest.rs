//! Digests: at a time that a person chose, one message by each binding, of what came since the last.
//!
//! That something waits for a digest stands in the entry that told the person ([`Event::Addressed`]);
//! what a message says is read there when it is delivered, as far as its reader may see the records
//! then. What is kept of a digest are places only: no record's text stands in another's journal, nor
//! twice anywhere.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration as StdDuration;

use chrono_tz::Tz;
use definition::compile::Definitions;
use futures::StreamExt;
use model::command::Actor;
use model::directory::kind;
use model::event::{Event, EventKind};
use model::hook::{Call, Failure, FailureKind, Hook};
use model::id::{BindingId, DirectoryId, DirectoryKind, PersonId};
use model::journal::Item;
use model::preference::{DigestTimes, Every, Preferences, Way};
use model::record::Record;
use model::{Duration, Instant};
use serde_json::{Value as Json, json};

use crate::cloud_event;
use crate::decide::{addressing, view};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::inbox::Said;
use crate::port::{
    Commit, CommitError, Delivery, DigestState, InboxPlace, InboxRow, MOST_IN_INBOX, PendingDigest,
};
use crate::surroundings::DeskSurroundings;

/// How many people's digests are looked after at the same time.
const AT_ONCE: usize = 16;
/// How many preferences are read at once.
const PART: usize = 200;
/// The most notices that a message tells of one by one; it says how many more there were.
const MOST_TOLD: usize = 100;
/// The longest text of each, in characters.
const LONGEST_TEXT: usize = 2_000;
/// The most messages of a person that wait at once; as long as so many do, nothing more is gathered.
const MOST_OPEN: usize = 50;
/// How often a message is tried before it is given up.
const MOST_ATTEMPTS: u32 = 15;
/// The wait after the first failure; it doubles with each, up to [`LONGEST_WAIT`].
const FIRST_WAIT: StdDuration = StdDuration::from_secs(1);
const LONGEST_WAIT: StdDuration = StdDuration::from_hours(1);
/// Preferences that changed are noticed within it.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
const HOUR: i64 = 3_600_000;

impl Engine {
    /// Gathers the digests whose time has come and delivers those that are to be tried, everybody's; says
    /// when to come again. The workers do; so does whoever turns the clock by hand.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn send_digests(&self) -> Result<Instant, EngineError> {
        let mut soonest = self.now().saturating_add(LOOK_AGAIN);
        let Ok(of) = DirectoryKind::new(kind::PREFERENCE) else {
            return Ok(soonest);
        };
        let mut after: Option<DirectoryId> = None;
        loop {
            let part = self.0.store.things(&of, after.as_ref(), PART)?;
            after = part.last().map(|(id, _)| id.clone());
            if after.is_none() {
                return Ok(soonest);
            }
            let people = part.into_iter().filter_map(|(id, thing)| {
                let preferences = serde_json::from_value(Json::Object(thing.0)).ok()?;
                Some((PersonId::new(id.as_str()).ok()?, preferences))
            });
            let working = futures::stream::iter(people).map(|(person, preferences)| async move {
                let next = self.send_digests_of(&person, &preferences).await;
                (person, next)
            });
            let mut working = working.buffer_unordered(AT_ONCE);
            while let Some((person, next)) = working.next().await {
                match next {
                    Ok(next) => soonest = soonest.min(next.unwrap_or(soonest)),
                    Err(EngineError::Store(error)) => return Err(error.into()),
                    // Those of everybody else are sent all the same.
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, %person, "a digest cannot be sent for now");
                    }
                }
            }
        }
    }

    /// Does what there is to do for one person; says when there is more.
    async fn send_digests_of(
        &self,
        person: &PersonId,
        preferences: &Preferences,
    ) -> Result<Option<Instant>, EngineError> {
        let mut state = self.0.store.digest(person)?;
        let (now, definitions) = (self.now(), self.definitions());
        let mut next = None;
        if preferences.uses_digests() {
            let zone = zone(preferences, &definitions);
            let times = preferences.digest.unwrap_or_default();
            let (last, coming) = around(times, zone, now);
            next = coming;
            if let Some(last) = last.filter(|last| *last > state.due)
                && state.open.len() < MOST_OPEN
            {
                let gathered = self.gathered(person, &state, last)?;
                state = self.keep_digest(person, state, gathered).await?;
            }
        }
        // Those that were given up are kept until the next are gathered, for whoever asks why.
        while let Some(place) = state
            .open
            .iter()
            .position(|open| open.dead.is_none() && open.next_at <= self.now())
        {
            let result = self.deliver_digest(person, &definitions, &state.open[place]);
            let result = result.await?;
            let after = tried(&state, place, result, self.now());
            state = self.keep_digest(person, state, after).await?;
        }
        let waiting = state.open.iter().filter(|open| open.dead.is_none());
        let retry = waiting.map(|open| open.next_at).min();
        Ok(next.into_iter().chain(retry).min())
    }

    /// The state once everything that was told before `due` is gathered.
    fn gathered(
        &self,
        person: &PersonId,
        state: &DigestState,
        due: Instant,
    ) -> Result<DigestState, EngineError> {
        let rows = self.digest_rows(person, state.through, |row| row.at < due)?;
        let mut bindings: BTreeSet<BindingId> = BTreeSet::new();
        for row in &rows {
            bindings.extend(self.digested_by(person, row.place)?);
        }
        let through = rows.last().map_or(state.through, |row| row.place);
        let mut open = state.open.clone();
        open.retain(|open| open.dead.is_none());
        open.extend(bindings.into_iter().map(|binding| PendingDigest {
            binding,
            due,
            after: state.through,
            through,
            attempts: 0,
            next_at: due,
            dead: None,
        }));
        Ok(DigestState { due, through, open })
    }

    /// The rows of an inbox after a place for which something holds, oldest first.
    fn digest_rows(
        &self,
        person: &PersonId,
        after: InboxPlace,
        holds: impl Fn(&InboxRow) -> bool,
    ) -> Result<Vec<InboxRow>, EngineError> {
        let mut rows = self.0.store.inbox(person, None, MOST_IN_INBOX)?;
        rows.retain(|row| row.place > after && holds(row));
        rows.reverse();
        Ok(rows)
    }

    /// The bindings by which a notice waits for a person's digest.
    fn digested_by(
        &self,
        person: &PersonId,
        place: InboxPlace,
    ) -> Result<Vec<BindingId>, EngineError> {
        let found = self.0.store.journal(place.position.saturating_sub(1), 1)?;
        let Some((_, Item::Record { entry, .. })) = found.into_iter().next() else {
            return Ok(Vec::new());
        };
        let of_person = entry.events.iter().find_map(|event| match event {
            Event::Addressed { event, ways } if *event == place.event => ways.get(person),
            _ => None,
        });
        let digested = of_person.into_iter().flatten();
        let digested = digested.filter(|(_, way)| **way == Way::Digest);
        Ok(digested.map(|(binding, _)| binding.clone()).collect())
    }

    /// Makes a change of a person's digests durable. There is one worker: nothing comes between but an
    /// operator who has digests tried again, and then this fails and is done anew.
    pub(crate) async fn keep_digest(
        &self,
        person: &PersonId,
        expected: DigestState,
        state: DigestState,
    ) -> Result<DigestState, EngineError> {
        let commit = Commit::Digest {
            person: person.clone(),
            expected,
            state: state.clone(),
        };
        match self.0.store.commit(commit).await {
            Ok(_) => Ok(state),
            Err(CommitError::Store(error)) => Err(error.into()),
            Err(error) => Err(EngineError::Busy(error.to_string())),
        }
    }

    async fn deliver_digest(
        &self,
        person: &PersonId,
        definitions: &Arc<Definitions>,
        open: &PendingDigest,
    ) -> Result<Result<(), Failure>, EngineError> {
        let binding = &open.binding;
        let Some(bound) = definitions.bindings.get(binding).filter(|bound| {
            bound.plugin.hooks.get(&Hook::Delivery) == Some(&true) && addressing::gathers(bound)
        }) else {
            let message = format!("there is no binding `{binding}` that hears of `digest`");
            return Ok(Err(failure(FailureKind::Missing, message)));
        };
        let said = self.said_since(person, open)?;
        // The newest of them is the one that the message is about, as far as a plugin asks.
        let Some((_, newest)) = said.last() else {
            return Ok(Ok(()));
        };
        let id = format!("digest:{person}:{}:{binding}", open.due.to_seconds_text());
        let delivery = Delivery {
            id: id.clone(),
            kind: cloud_event::type_of(EventKind::Digest),
            subject: view(&newest.record, false),
            references: Vec::new(),
            data: event(&id, person, open.due, &said).to_string(),
            hidden: Vec::new(),
        };
        let call = Call {
            id: id.clone(),
            attempt: open.attempts + 1,
            now: self.now(),
            seed: u64::from(open.attempts),
            actor: "timer".to_owned(),
        };
        let around = Arc::new(DeskSurroundings::new(self.clone(), definitions.clone()));
        let delivering = self.0.plugins.deliver(binding, call, delivery, around);
        match delivering.await {
            Ok(reply) => match self
                .carry_out(definitions, bound, &id, reply.commands)
                .await
            {
                Ok(()) => Ok(Ok(())),
                Err(EngineError::Store(error)) => Err(error.into()),
                Err(EngineError::Busy(message)) => Ok(Err(failure(FailureKind::Busy, message))),
                Err(error) => Ok(Err(failure(FailureKind::Refused, crate::chain(&error)))),
            },
            Err(failure) => Ok(Err(failure)),
        }
    }

    /// What a message tells, oldest first: what its reader may see now.
    fn said_since(
        &self,
        person: &PersonId,
        open: &PendingDigest,
    ) -> Result<Vec<(InboxRow, Said)>, EngineError> {
        let actor: Actor = self.actor(person, &BTreeSet::new())?;
        let rows = self.digest_rows(person, open.after, |row| row.place <= open.through)?;
        let mut said = Vec::new();
        for row in rows {
            if self.digested_by(person, row.place)?.contains(&open.binding)
                && let Some(it) = self.said(&actor, &row)?
            {
                said.push((row, it));
            }
        }
        Ok(said)
    }
}

/// The state after an attempt at one of its messages.
fn tried(
    state: &DigestState,
    place: usize,
    result: Result<(), Failure>,
    now: Instant,
) -> DigestState {
    let mut after = state.clone();
    let Err(failure) = result else {
        after.open.remove(place);
        return after;
    };
    let open = &mut after.open[place];
    open.attempts += 1;
    if failure.kind.is_passing() && open.attempts < MOST_ATTEMPTS {
        let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(open.attempts - 1));
        let wait = u64::try_from(doubled.min(LONGEST_WAIT).as_millis()).unwrap_or(u64::MAX);
        let asked = failure.retry_after.unwrap_or_default();
        open.next_at = now.saturating_add(asked.max(Duration::from_millis(wait)));
    } else {
        let message = failure.message;
        tracing::warn!(binding = %open.binding, %message, "a digest was given up");
        open.dead = Some(message);
    }
    after
}

/// The `CloudEvents` event of a digest.
fn event(id: &str, person: &PersonId, due: Instant, said: &[(InboxRow, Said)]) -> Json {
    let more = said.len().saturating_sub(MOST_TOLD);
    let told = &said[more..];
    let items: Vec<Json> = told
        .iter()
        .map(|(row, said)| {
            json!({
                "id": row.place.to_string(), "record": row.record, "at": row.at, "notice": said.notice,
                "title": title(&said.record), "subject": said.subject,
                "text": said.text.chars().take(LONGEST_TEXT).collect::<String>(),
            })
        })
        .collect();
    json!({
        "specversion": "1.0",
        "id": id,
        "source": "/api/v1/inbox",
        "type": cloud_event::type_of(EventKind::Digest),
        "subject": person,
        "time": due,
        "datacontenttype": "application/json",
        "data": { "recipients": [person], "due": due, "items": items, "more": more },
    })
}

/// What lists show of a record.
fn title(record: &Record) -> Option<&str> {
    let text = |name: &str| record.fields.get(name).and_then(model::Value::as_text);
    text("summary").or_else(|| text("title"))
}

/// The zone of a person's times: theirs, or that of the desk's packs.
fn zone(preferences: &Preferences, definitions: &Definitions) -> Tz {
    let own = preferences.zone.as_deref().into_iter();
    let packs = definitions.packs.values().map(|pack| pack.zone.as_str());
    own.chain(packs)
        .find_map(|zone| zone.parse().ok())
        .unwrap_or(Tz::UTC)
}

/// The last of a person's times that is not after `now`, and the next.
fn around(times: DigestTimes, zone: Tz, now: Instant) -> (Option<Instant>, Option<Instant>) {
    let weekday = match times.every {
        Every::Hour => {
            let last = now.millis().div_euclid(HOUR) * HOUR;
            let at = Instant::from_millis;
            return (Some(at(last)), Some(at(last + HOUR)));
        }
        Every::Day => None,
        Every::Week => Some(times.on),
    };
    let after = |at| calendar::next_time(zone, weekday, times.at.minutes(), at);
    let mut last = None;
    let mut next = after(Instant::from_millis(now.millis() - 9 * 24 * HOUR));
    while let Some(at) = next.filter(|at| *at <= now) {
        last = Some(at);
        next = after(at);
    }
    (last, next)
}

const fn failure(kind: FailureKind, message: String) -> Failure {
    Failure {
        kind,
        message,
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use model::Instant;
    use model::preference::DigestTimes;
    use serde_json::json;

    use super::around;

    fn check(times: serde_json::Value, zone: &str, now: &str, expected: [&str; 2]) {
        let times: DigestTimes = serde_json::from_value(times).expect("times");
        let zone = zone.parse().expect("a zone");
        let now: Instant = now.parse().expect("an instant");
        let (last, next) = around(times, zone, now);
        let found = [last, next].map(|at| at.expect("there is one").to_seconds_text());
        assert_eq!(found, expected);
    }

    #[test]
    fn the_times_before_and_after_an_instant_are_those_of_the_local_clock() {
        let daily = json!({ "every": "day", "at": "08:00" });
        check(
            daily.clone(),
            "Europe/Brussels",
            "2026-03-28T12:00:00Z",
            ["2026-03-28T07:00:00Z", "2026-03-29T06:00:00Z"],
        );
        // On the very instant, it is that one.
        check(
            daily,
            "Europe/Brussels",
            "2026-03-29T06:00:00Z",
            ["2026-03-29T06:00:00Z", "2026-03-30T06:00:00Z"],
        );
        check(
            json!({ "every": "week", "on": "fri", "at": "16:30" }),
            "America/New_York",
            "2026-11-06T12:00:00Z",
            ["2026-10-30T20:30:00Z", "2026-11-06T21:30:00Z"],
        );
        check(
            json!({ "every": "hour" }),
            "UTC",
            "2026-11-06T12:59:59Z",
            ["2026-11-06T12:00:00Z", "2026-11-06T13:00:00Z"],
        );
        // A time that the clock skips comes as it jumps past it, and one that comes twice, once.
        check(
            json!({ "every": "day", "at": "02:30" }),
            "Europe/Brussels",
            "2026-03-29T12:00:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
        );
        check(
            json!({ "every": "day", "at": "02:30" }),
            "Europe/Brussels",
            "2026-10-25T01:00:00Z",
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        );
    }
}
