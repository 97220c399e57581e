//! What one group of alerts means for its record: a new one, a comment, a resolution, or nothing.

use std::collections::BTreeMap;

use counterpart::fields;
use counterpart::steps::{self, Steps};
use serde_json::Value as Json;
use servicewright_sdk::commands::{Change, Command, Subject};
use servicewright_sdk::{Category, Fields, Record, Result, Value, directory};
use sha2::{Digest as _, Sha256};

use crate::memory::{self, Seen};
use crate::notification::{Alert, Notification};
use crate::settings::{Again, GroupBy, Settings};
use crate::words;

/// The alerts that make one record.
pub(crate) struct Group<'a> {
    settings: &'a Settings,
    notification: &'a Notification,
    alerts: &'a [Alert],
    /// Its name, the same each time.
    name: String,
    /// How many of its alerts were left out.
    truncated: u64,
}

impl<'a> Group<'a> {
    /// The groups of a notification, by the settings.
    pub(crate) fn all(settings: &'a Settings, notification: &'a Notification) -> Vec<Self> {
        let of = |alerts, name, truncated| Self {
            settings,
            notification,
            alerts,
            name,
            truncated,
        };
        match settings.group_by {
            GroupBy::Group => {
                // A group's key has every label that it is grouped by, and no bound.
                let digest = Sha256::digest(&notification.group_key);
                let name = servicewright_sdk::signing::to_hex(&digest[..16]);
                let name = format!("group:{name}");
                let truncated = notification.truncated_alerts;
                vec![of(&notification.alerts[..], name, truncated)]
            }
            GroupBy::Alert => notification
                .alerts
                .chunks(1)
                .map(|alert| of(alert, format!("alert:{}", alert[0].fingerprint), 0))
                .collect(),
        }
    }

    /// What is to be done about it, and what is to be remembered.
    pub(crate) fn commands(&self) -> Result<Vec<Command>> {
        let (seen, bytes) = memory::load(&self.name)?;
        let record = match &seen {
            Some(seen) => directory::referenced(&seen.reference)?,
            None => None,
        };
        let is_firing = self.alerts.iter().any(Alert::is_firing);
        let (commands, remembered) = match (seen, record) {
            (Some(seen), Some(record)) if is_over(&record) => self.over(seen, &record, is_firing),
            (Some(seen), Some(record)) => self.open(seen, &record, is_firing),
            _ if is_firing => self.begin()?,
            _ => (Vec::new(), None),
        };
        memory::store(&self.name, bytes.as_deref(), remembered.as_ref())?;
        if !is_firing {
            memory::sweep(&self.name, |record| self.may_forget(record))?;
        }
        Ok(commands)
    }

    /// Nothing is known of the group, and it fires.
    fn begin(&self) -> Result<(Vec<Command>, Option<Seen>)> {
        let seen = self.fresh();
        // A notification of a firing that was resolved before, sent again: its record stands.
        if let Some(record) = directory::referenced(&seen.reference)? {
            let remembered = (!is_over(&record)).then_some(seen);
            return Ok((Vec::new(), remembered));
        }
        Ok((self.create(&seen.reference), Some(seen)))
    }

    /// The record is being worked on.
    fn open(
        &self,
        mut seen: Seen,
        record: &Record,
        is_firing: bool,
    ) -> (Vec<Command>, Option<Seen>) {
        let subject = Subject::reference(&seen.reference);
        let mut commands: Vec<Command> = self.news(&seen, &subject).into_iter().collect();
        if is_firing || self.truncated > 0 {
            commands.extend(self.followed(&mut seen, &subject));
            seen.tell(self.alerts);
            return (commands, Some(seen));
        }
        // Remembered as long as it is not seen to be resolved: a transition may be refused.
        commands.extend(self.steps(&self.settings.resolve, record, &subject));
        seen.tell(self.alerts);
        (commands, Some(seen))
    }

    /// The record is resolved or closed.
    fn over(
        &self,
        mut seen: Seen,
        record: &Record,
        is_firing: bool,
    ) -> (Vec<Command>, Option<Seen>) {
        if !is_firing {
            let keeps = self.settings.again == Again::Reopen;
            seen.tell(self.alerts);
            return (Vec::new(), keeps.then_some(seen));
        }
        let is_news = |alert: &Alert| alert.is_firing() && !seen.knows_firing(alert);
        if !self.alerts.iter().any(is_news) {
            // Somebody decided that it is over, though it goes on.
            return (Vec::new(), Some(seen));
        }
        let subject = Subject::reference(&seen.reference);
        let reopened = self.steps(&self.settings.reopen, record, &subject);
        if self.settings.again == Again::Reopen && !reopened.is_empty() {
            let mut commands = reopened;
            commands.extend(self.news(&seen, &subject));
            seen.tell(self.alerts);
            return (commands, Some(seen));
        }
        let fresh = self.fresh_but(&seen);
        (self.create(&fresh.reference), Some(fresh))
    }

    /// What is remembered of the group when it gets a new record.
    fn fresh(&self) -> Seen {
        self.fresh_but(&Seen::default())
    }

    /// The record of one firing is named after the group and the first of its alerts that was not told
    /// before: a later firing gets another name, and the same firing the same.
    fn fresh_but(&self, before: &Seen) -> Seen {
        let new = self
            .alerts
            .iter()
            .filter(|alert| alert.is_firing() && !before.knows_firing(alert));
        let first = new.min_by_key(|alert| (alert.started_ms(), &alert.fingerprint));
        let since = first.map_or(0, Alert::started_ms);
        let mut seen = Seen {
            reference: format!("{}@{since}", self.name),
            ..Seen::default()
        };
        seen.tell(self.alerts);
        seen.followed = self.values();
        seen
    }

    /// Whether nothing more can become of a record when its alerts fire again.
    fn may_forget(&self, record: &Record) -> bool {
        match record.category {
            Category::Closed => true,
            Category::Resolved => self.settings.again == Again::New,
            Category::Open | Category::Waiting => false,
        }
    }

    fn create(&self, reference: &str) -> Vec<Command> {
        let value_of = |name: &str| self.value(name);
        let fields = fields::of(&self.settings.fields, &value_of);
        let create = Command::create(&self.settings.workflow, fields).reference(reference);
        let team = self.settings.team.as_ref();
        let assign = match team.and_then(|team| team.value(&value_of)) {
            Some(Value::Text(team)) => Some(Command::change(
                Subject::reference(reference),
                Change::Assign {
                    team,
                    assignee: None,
                },
            )),
            _ => None,
        };
        std::iter::once(create).chain(assign).collect()
    }

    /// A comment on the alerts that are not as they were told.
    fn news(&self, seen: &Seen, subject: &Subject) -> Option<Command> {
        let alerts = self.alerts.iter().filter(|alert| !seen.knows(alert));
        let alerts: Vec<Alert> = alerts.cloned().collect();
        if alerts.is_empty() {
            return None;
        }
        let text = words::news(&alerts, self.alerts, self.truncated);
        Some(Command::comment(subject.clone(), text))
    }

    /// The fields that follow the alerts, where those say something else than before.
    fn followed(&self, seen: &mut Seen, subject: &Subject) -> Option<Command> {
        let values = self.values();
        let changed: Fields = values
            .iter()
            .filter(|(id, value)| seen.followed.get(*id) != Some(value))
            .map(|(id, value)| (id.as_str(), Value::from(value.clone())))
            .collect();
        seen.followed = values;
        (!changed.is_empty()).then(|| Command::update(subject.clone(), changed))
    }

    /// What the fields that follow the alerts are to hold.
    fn values(&self) -> BTreeMap<String, Json> {
        let value_of = |name: &str| self.value(name);
        let follows = |id: &str| self.settings.follow.get(id) == Some(&true);
        let fields = fields::of(&self.settings.fields, &value_of);
        fields
            .into_iter()
            .filter(|(id, _)| follows(id))
            .filter_map(|(id, value)| Some((id, plain(value)?)))
            .collect()
    }

    fn steps(&self, steps: &Steps, record: &Record, subject: &Subject) -> Vec<Command> {
        let value_of = |name: &str| self.value(name);
        steps::commands(steps, record, subject, &value_of)
    }

    fn value(&self, name: &str) -> Option<String> {
        words::value(self.settings, self.notification, self.alerts, name)
    }
}

fn is_over(record: &Record) -> bool {
    matches!(record.category, Category::Resolved | Category::Closed)
}

fn plain(value: Value) -> Option<Json> {
    Some(match value {
        Value::Text(text) => text.into(),
        Value::Boolean(value) => value.into(),
        Value::Integer(value) => value.into(),
        Value::Number(value) => value.into(),
        _ => return None,
    })
}
