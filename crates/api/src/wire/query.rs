//! What may stand in a query, and the cursors that lists go on with.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use engine::port::{InboxPlace, Sort as StoreSort};
use model::definition::Category;
use model::directory::Key;
use model::id::{DirectoryId, LayerId, PersonId, RecordId, StateId, TeamId, WorkflowId};
use model::record::EffectKey;
use model::{Duration, Instant};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use utoipa::{IntoParams, ToSchema};

/// The most items of one answer.
const MOST: usize = 200;
/// The items of an answer where the query does not say.
const USUAL: usize = 50;

/// Which records to list. All that is said must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Records {
    /// Of this workflow.
    #[param(value_type = Option<String>)]
    pub(crate) workflow: Option<WorkflowId>,
    /// In this state.
    #[param(value_type = Option<String>)]
    pub(crate) state: Option<StateId>,
    /// In this part of their life.
    #[param(value_type = Option<super::record::CategoryName>, inline)]
    pub(crate) category: Option<Category>,
    /// With this team.
    #[param(value_type = Option<String>)]
    pub(crate) team: Option<TeamId>,
    /// With this person.
    #[param(value_type = Option<String>)]
    pub(crate) assignee: Option<PersonId>,
    /// For this person.
    #[param(value_type = Option<String>)]
    pub(crate) requester: Option<PersonId>,
    /// Only those for which this CEL expression is true.
    pub(crate) filter: Option<String>,
    /// The order: by the time of the last change, the latest first (`-updated`) or last (`updated`).
    #[serde(default)]
    #[param(inline)]
    pub(crate) sort: Sort,
    /// At most so many, 1 to 200; 50 where it is not said.
    #[serde(default)]
    #[param(value_type = Option<usize>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
    /// Where to go on: `next` of the part before.
    #[param(value_type = Option<String>)]
    pub(crate) cursor: Option<RecordCursor>,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
pub(crate) enum Sort {
    /// Changed last comes first.
    #[default]
    #[serde(rename = "-updated")]
    Latest,
    /// Changed first comes first.
    #[serde(rename = "updated")]
    Earliest,
}

impl From<Sort> for StoreSort {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Latest => Self::UpdatedDescending,
            Sort::Earliest => Self::UpdatedAscending,
        }
    }
}

/// Which part of a record's history.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct History {
    /// What came after this version; from the beginning without it.
    #[serde(default)]
    #[param(value_type = Option<u64>)]
    pub(crate) after: u64,
    /// At most so many, 1 to 200; 50 where it is not said.
    #[serde(default)]
    #[param(value_type = Option<usize>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
}

/// Which part of the directory.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Things {
    /// At most so many, 1 to 200; 50 where it is not said.
    #[serde(default)]
    #[param(value_type = Option<usize>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
    /// Where to go on: `next` of the part before.
    #[param(value_type = Option<String>)]
    pub(crate) cursor: Option<DirectoryId>,
}

/// Who is on call, where.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OnCall {
    /// At which instant, such as `2026-03-01T09:30:00Z`; now without it.
    #[param(value_type = Option<String>)]
    pub(crate) at: Option<Instant>,
    /// By the rotas of this team.
    #[param(value_type = Option<String>)]
    pub(crate) team: Option<TeamId>,
    /// By this rota; by every rota where neither is said.
    #[param(value_type = Option<String>)]
    pub(crate) rota: Option<DirectoryId>,
    /// At most so many rotas, 1 to 200; 50 where it is not said.
    #[serde(default)]
    #[param(value_type = Option<usize>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
    /// Where to go on: `next` of the part before.
    #[param(value_type = Option<String>)]
    pub(crate) cursor: Option<DirectoryId>,
}

/// Which part of a rota's schedule. A stretch is of a year at most.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Schedule {
    /// From when, such as `2026-03-01T09:30:00Z`; from now without it.
    #[param(value_type = Option<String>)]
    pub(crate) from: Option<Instant>,
    /// Until when; 28 days later without it.
    #[param(value_type = Option<String>)]
    pub(crate) to: Option<Instant>,
    /// One layer alone, whatever lies over it.
    #[param(value_type = Option<String>)]
    pub(crate) layer: Option<LayerId>,
    /// Only when this person is on call.
    #[param(value_type = Option<String>)]
    pub(crate) person: Option<PersonId>,
}

/// From when until when a file is read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Stretch {
    /// What begins on the date of this instant or later; from today without it.
    #[param(value_type = Option<String>)]
    pub(crate) from: Option<Instant>,
    /// What begins on the date of this instant or earlier; a year later without it.
    #[param(value_type = Option<String>)]
    pub(crate) to: Option<Instant>,
}

/// Which part of the change calendar. A part is of 366 days at most.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangeCalendar {
    /// From when, such as `2026-03-01T09:30:00Z`; from now without it.
    #[param(value_type = Option<String>)]
    pub(crate) from: Option<Instant>,
    /// Until when; 28 days later without it.
    #[param(value_type = Option<String>)]
    pub(crate) to: Option<Instant>,
    /// Only what affects one of these things, with their own freezes: kind and id of each, with commas
    /// between them, such as `service:payments,site:ghent`. Everything without it.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    pub(crate) affects: Affected,
}

/// Which window is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FreeWindow {
    /// For this record: what it affects, as long as its window is, whatever its own window is now.
    #[param(value_type = Option<String>)]
    pub(crate) record: Option<RecordId>,
    /// For a record of this workflow, whose freezes count.
    #[param(value_type = Option<String>)]
    pub(crate) workflow: Option<WorkflowId>,
    /// What is affected, beside what the record affects: kind and id of each, with commas between them,
    /// such as `service:payments,site:ghent`.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    pub(crate) affects: Affected,
    /// How long it is, such as `PT2H`; as long as the record's window without it.
    #[param(value_type = Option<String>)]
    pub(crate) length: Option<Duration>,
    /// The earliest instant at which it may begin; now without it.
    #[param(value_type = Option<String>)]
    pub(crate) after: Option<Instant>,
    /// When it has to be over at the latest; 366 days later without it.
    #[param(value_type = Option<String>)]
    pub(crate) until: Option<Instant>,
}

/// Which notices of the actor's inbox.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Inbox {
    /// Only those that are not read yet.
    #[serde(default)]
    #[param(value_type = Option<bool>)]
    pub(crate) unread: bool,
    /// Only those of this record.
    #[param(value_type = Option<String>)]
    pub(crate) record: Option<RecordId>,
    /// At most so many, 1 to 200; 50 where it is not said.
    #[serde(default)]
    #[param(value_type = Option<usize>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
    /// Where to go on: `next` of the part before.
    #[param(value_type = Option<String>)]
    pub(crate) cursor: Option<NoticeId>,
}

/// Which effects.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Effects {
    /// In this state: those that were given up.
    #[serde(default)]
    #[param(inline)]
    #[expect(dead_code, reason = "there is one state to ask for")]
    pub(crate) state: EffectState,
    /// At most so many, 1 to 200; 50 where it is not said.
    #[serde(default)]
    #[param(value_type = Option<usize>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
    /// Where to go on: `next` of the part before.
    #[param(value_type = Option<String>)]
    pub(crate) cursor: Option<EffectId>,
}

/// Which digests that were given up.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Digests {
    /// About so many, 1 to 200; 50 where it is not said. Those of a person are told together.
    #[serde(default)]
    #[param(value_type = Option<usize>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
    /// Where to go on: `next` of the part before.
    #[param(value_type = Option<String>)]
    pub(crate) cursor: Option<DirectoryId>,
}

/// The state of effects that can be listed.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EffectState {
    /// Given up.
    #[default]
    Dead,
}

/// From where to hear of events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Events {
    /// What came after this position, where there is no `Last-Event-ID`; 0 is from the beginning,
    /// and without either the stream begins now.
    pub(crate) after: Option<u64>,
}

/// How many items an answer holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(pub(crate) usize);

impl Default for Limit {
    fn default() -> Self {
        Self(USUAL)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match usize::deserialize(deserializer)? {
            limit @ 1..=MOST => Ok(Self(limit)),
            other => Err(D::Error::custom(format_args!(
                "a limit is 1 to {MOST}, not {other}"
            ))),
        }
    }
}

/// A place in a list of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordCursor(pub(crate) Instant, pub(crate) RecordId);

impl fmt::Display for RecordCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0.millis(), self.1)
    }
}

impl FromStr for RecordCursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a cursor is what the part before gave as `next`";
        let (millis, id) = text.split_once('.').ok_or(WRONG)?;
        let millis = millis.parse().map_err(|_| WRONG)?;
        Ok(Self(
            Instant::from_millis(millis),
            id.parse().map_err(|_| WRONG)?,
        ))
    }
}

/// An effect, whichever record it is of: `INC-1042.7.1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EffectId(pub(crate) RecordId, pub(crate) EffectKey);

impl fmt::Display for EffectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl FromStr for EffectId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "an effect reads `INC-1042.7.1`: its record, the version that caused it and its place there";
        let (record, key) = text.split_once('.').ok_or(WRONG)?;
        Ok(Self(
            record.parse().map_err(|_| WRONG)?,
            key.parse().map_err(|_| WRONG)?,
        ))
    }
}

/// A notice in an inbox, as the inbox names it: `4711.2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoticeId(pub(crate) InboxPlace);

impl FromStr for NoticeId {
    type Err = engine::port::InboxPlaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Things of the directory: kind and id of each, with commas between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Affected(pub(crate) BTreeSet<Key>);

impl FromStr for Affected {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let thing = |text: &str| {
            let wrong = || {
                let shown: String = text.chars().take(60).collect();
                format!(
                    "`{shown}` names no thing: write its kind, a colon and its id, such as `service:payments`"
                )
            };
            let (kind, id) = text.split_once(':').ok_or_else(wrong)?;
            let (kind, id) = (kind.parse().ok(), id.parse().ok());
            let (kind, id) = kind.zip(id).ok_or_else(wrong)?;
            Ok(Key { kind, id })
        };
        text.split(',')
            .map(thing)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

macro_rules! read_from_text {
    ($($name:ident),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

read_from_text!(RecordCursor, EffectId, NoticeId, Affected);

#[cfg(test)]
mod tests {
    use super::{EffectId, RecordCursor};

    #[test]
    fn cursors_and_effects_read_back_what_they_print() {
        for text in ["1772357400000.INC-1042", "-5.CHG-1"] {
            assert_eq!(
                text.parse::<RecordCursor>()
                    .map(|cursor| cursor.to_string()),
                Ok(text.to_owned())
            );
        }
        assert_eq!(
            "INC-1.7.1".parse::<EffectId>().map(|id| id.to_string()),
            Ok("INC-1.7.1".to_owned())
        );
        for wrong in ["", "5", "x.INC-1", "5.inc-1"] {
            assert!(wrong.parse::<RecordCursor>().is_err(), "{wrong}");
        }
        for wrong in ["INC-1", "INC-1.7", "7.1", "INC-1/7.1"] {
            assert!(wrong.parse::<EffectId>().is_err(), "{wrong}");
        }
    }
}
