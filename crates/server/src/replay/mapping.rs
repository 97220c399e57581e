//! The mapping file of a replay: which columns of a log are case, time and state, what becomes of
//! the others, and which pack's workflow the events are put through. `examples/volvo/README.md`
//! explains the format to those who write one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _};
use chrono_tz::Tz;
use indexmap::IndexMap;
use model::Instant;
use model::id::{FieldId, PersonId, RoleId, StateId, TargetId, TransitionId, WorkflowId};
use serde::Deserialize;
use serde_json::Value as Json;
use thiserror::Error;

/// The longest mapping file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Why a mapping file cannot be used.
#[derive(Debug, Error)]
pub enum MappingError {
    /// The file cannot be read.
    #[error("cannot read the mapping {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not YAML of the documented shape.
    #[error("the mapping {} is not as it should be", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        source: Box<serde_saphyr::Error>,
    },
    /// The file says something that cannot be meant.
    #[error("the mapping {}: {what}", path.display())]
    Meaning {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        what: String,
    },
}

/// What a log means.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The folder of the pack, relative to the mapping file until [`Mapping::read`] has resolved it.
    pub pack: PathBuf,
    /// The workflow that the events are put through.
    pub workflow: WorkflowId,
    /// How the file is written.
    #[serde(default)]
    pub log: Format,
    /// Which record an event belongs to.
    pub case: Case,
    /// When it happened.
    pub time: Time,
    /// The state that it led to.
    pub state: State,
    /// The way to begin, by the state of a case's first event.
    pub begin: Begin,
    /// The transition to take, by the states before and after.
    #[serde(rename = "move")]
    pub moves: Moves,
    /// Who acted.
    pub actor: Actor,
    /// What becomes of the other columns.
    #[serde(default)]
    pub fields: IndexMap<FieldId, Field>,
    /// The targets of the report, in the order of its columns.
    #[serde(default)]
    pub targets: Vec<TargetId>,
}

/// How a log is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Format {
    /// What stands between two cells.
    pub delimiter: char,
    /// Cells that say nothing.
    pub missing: BTreeSet<String>,
    /// The order of its rows.
    pub order: Order,
}

impl Default for Format {
    fn default() -> Self {
        Self {
            delimiter: ',',
            missing: [String::new()].into(),
            order: Order::ByTime,
        }
    }
}

/// The order of a log's rows.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// By time, over all cases; read in one pass. A row earlier than the one before it is refused.
    ByTime,
    /// By time within a case only: the whole log is read and put in order first. A row of a case
    /// that is earlier than the one before it counts as happening at the same time.
    ByCase,
}

/// Which record an event belongs to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The column that names it.
    pub column: String,
}

/// When an event happened.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Time {
    /// The column.
    pub column: String,
    /// RFC 3339 without it; else in the letters of `strftime`, such as `%d-%m-%Y %H:%M`.
    #[serde(default)]
    pub format: Option<String>,
    /// The IANA zone of local times; needed unless the format has an offset.
    #[serde(default)]
    pub zone: Option<Tz>,
}

/// Which state of the workflow an event led to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The columns that tell it together.
    pub columns: Vec<String>,
    /// What joins their cells into one text.
    #[serde(default = "slash")]
    pub join: String,
    /// The state for each text. One that is not listed is refused.
    pub values: IndexMap<String, StateId>,
}

fn slash() -> String {
    "/".to_owned()
}

/// The way in which a case begins.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Begin {
    /// One name for all, in which `{state}` stands for the first state.
    Pattern(String),
    /// A name for each first state.
    Names(IndexMap<StateId, TransitionId>),
}

/// The transition that a change of state takes.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Moves {
    /// One name for all, in which `{state}` stands for the new state.
    Pattern(String),
    /// A name for each state left and each state entered.
    Names(IndexMap<StateId, IndexMap<StateId, TransitionId>>),
}

/// Who acted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The column that names them; without it, always `otherwise`.
    #[serde(default)]
    pub column: Option<String>,
    /// Who acted where the column says nothing.
    pub otherwise: PersonId,
    /// Further cells of the column that say nothing.
    #[serde(default)]
    pub missing: BTreeSet<String>,
    /// The roles that everyone in the log is taken to have.
    pub roles: BTreeSet<RoleId>,
}

/// What a field of the record is made from: one of `column`, `text` and `value`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The column it is read from.
    #[serde(default)]
    pub column: Option<String>,
    /// A text in which `{column}` stands for that column's cell.
    #[serde(default)]
    pub text: Option<String>,
    /// Always this.
    #[serde(default)]
    pub value: Option<Json>,
    /// With `column`: further cells that say nothing.
    #[serde(default)]
    pub missing: BTreeSet<String>,
    /// With `column`: what each cell means. One that is not listed is refused, or means `otherwise`.
    #[serde(default)]
    pub values: IndexMap<String, Json>,
    /// With `values`: what cells mean that are not listed.
    #[serde(default)]
    pub otherwise: Option<Json>,
    /// With `column` and no `values`: the type that cells are read as.
    #[serde(default, rename = "as")]
    pub kind: Kind,
    /// At which events of a case it is said.
    #[serde(default)]
    pub when: When,
}

/// The type that a cell is read as.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// As it stands.
    #[default]
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A time in the log's own format.
    Time,
}

/// At which events of a case a field is said.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// At every one.
    #[default]
    Always,
    /// At the first one.
    Begin,
    /// At all others.
    Change,
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// Where it cannot be read, is longer than a mebibyte, or is not as documented.
    pub fn read(path: &Path) -> Result<Self, MappingError> {
        let read = |source| MappingError::Read {
            path: path.to_owned(),
            source,
        };
        if std::fs::metadata(path).map_err(read)?.len() > MAX_BYTES {
            return Err(read(std::io::Error::other("it is longer than a mebibyte")));
        }
        let text = std::fs::read_to_string(path).map_err(read)?;
        let mut mapping = Self::parse(&text, path)?;
        mapping.pack = path.parent().unwrap_or(Path::new("")).join(&mapping.pack);
        Ok(mapping)
    }

    /// Reads a mapping from its text; `path` is for messages.
    pub fn parse(text: &str, path: &Path) -> Result<Self, MappingError> {
        let mapping: Self = serde_saphyr::from_str(text).map_err(|source| MappingError::Shape {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        match mapping.check() {
            Ok(()) => Ok(mapping),
            Err(what) => Err(MappingError::Meaning {
                path: path.to_owned(),
                what,
            }),
        }
    }

    fn check(&self) -> Result<(), String> {
        if !self.log.delimiter.is_ascii() {
            return Err("`log: delimiter` is one ASCII character".to_owned());
        }
        if self.state.columns.is_empty() || self.state.values.is_empty() {
            return Err("`state` needs `columns` and `values`".to_owned());
        }
        self.time.check()?;
        for state in self.state.values.values() {
            for (place, pattern) in [
                ("begin", self.begin.pattern()),
                ("move", self.moves.pattern()),
            ] {
                if let Some(pattern) = pattern {
                    named(pattern, state)
                        .map_err(|error| format!("`{place}: {pattern}`: {error}"))?;
                }
            }
        }
        for (id, field) in &self.fields {
            field
                .check()
                .map_err(|what| format!("field `{id}`: {what}"))?;
        }
        Ok(())
    }
}

fn named(pattern: &str, state: &StateId) -> Result<TransitionId, model::id::IdError> {
    TransitionId::new(&pattern.replace("{state}", state.as_str()))
}

impl Begin {
    const fn pattern(&self) -> Option<&String> {
        if let Self::Pattern(pattern) = self {
            Some(pattern)
        } else {
            None
        }
    }

    /// The way to begin in `state`, where there is one.
    pub fn name(&self, state: &StateId) -> Option<TransitionId> {
        match self {
            Self::Pattern(pattern) => named(pattern, state).ok(),
            Self::Names(names) => names.get(state).cloned(),
        }
    }
}

impl Moves {
    const fn pattern(&self) -> Option<&String> {
        if let Self::Pattern(pattern) = self {
            Some(pattern)
        } else {
            None
        }
    }

    /// The transition from `from` to `to`, where there is one.
    pub fn name(&self, from: &StateId, to: &StateId) -> Option<TransitionId> {
        match self {
            Self::Pattern(pattern) => named(pattern, to).ok(),
            Self::Names(names) => names.get(from)?.get(to).cloned(),
        }
    }
}

impl Field {
    fn check(&self) -> Result<(), &'static str> {
        let told = [
            self.column.is_some(),
            self.text.is_some(),
            self.value.is_some(),
        ];
        if told.into_iter().filter(|told| *told).count() != 1 {
            return Err("it is made from one of `column`, `text` and `value`");
        }
        if self.column.is_none()
            && !(self.values.is_empty() && self.missing.is_empty() && self.kind == Kind::Text)
        {
            return Err("`values`, `missing` and `as` go with `column`");
        }
        if self.otherwise.is_some() && self.values.is_empty() {
            return Err("`otherwise` goes with `values`");
        }
        if !self.values.is_empty() && self.kind != Kind::Text {
            return Err("`values` says already what the cells mean; leave `as` out");
        }
        Ok(())
    }
}

impl Time {
    fn check(&self) -> Result<(), String> {
        let Some(format) = &self.format else {
            return if self.zone.is_none() {
                Ok(())
            } else {
                Err("`time`: without `format` the times are RFC 3339, which have an offset; leave `zone` out".to_owned())
            };
        };
        if StrftimeItems::new(format).any(|item| item == Item::Error) {
            return Err(format!(
                "`time: format: {format}` is not a format such as `%d-%m-%Y %H:%M`"
            ));
        }
        let example = DateTime::from_timestamp(1_000_000_000, 0)
            .expect("a time in 2001")
            .with_timezone(&chrono_tz::UTC);
        self.parse(&example.format(format).to_string()).map(drop).ok_or_else(|| {
            if self.zone.is_some() {
                format!("`time: format: {format}` does not tell a date and a time")
            } else {
                format!("`time: format: {format}` does not tell a date, a time and an offset; add `zone: Europe/Brussels` or yours")
            }
        })
    }

    /// The instant that a cell tells. A local time that occurs twice is its first occurrence; one
    /// that is skipped is read with the offset before the jump.
    pub fn parse(&self, cell: &str) -> Option<Instant> {
        let Some(format) = &self.format else {
            return cell.parse().ok();
        };
        let Some(zone) = self.zone else {
            return DateTime::parse_from_str(cell, format)
                .ok()
                .map(|time| Instant::from_utc(time.to_utc()));
        };
        let local = NaiveDateTime::parse_from_str(cell, format).ok()?;
        let utc = if let Some(time) = zone.from_local_datetime(&local).earliest() {
            time.to_utc()
        } else {
            let before = zone
                .from_local_datetime(&local.checked_sub_signed(TimeDelta::hours(3))?)
                .earliest()?;
            (local - before.offset().fix()).and_utc()
        };
        Some(Instant::from_utc(utc))
    }
}

/// A mapping for tests.
#[cfg(test)]
pub(crate) const SMALL: &str = "
pack: .
workflow: incident
case: { column: number }
time: { column: at }
state: { columns: [status, detail], values: { Open/New: new, Done/Fixed: done } }
begin: begin-{state}
move: to-{state}
actor: { column: who, otherwise: unknown, missing: ['-'], roles: [agent] }
fields:
  impact: { column: impact, values: { High: high, Low: low }, when: begin }
  summary: { text: 'Case {number}', when: begin }
targets: [resolution]
";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use expect_test::{Expect, expect};

    use super::{Mapping, SMALL, Time};

    #[expect(
        clippy::needless_pass_by_value,
        reason = "an expectation reads best where it is made"
    )]
    fn refused(text: &str, expected: Expect) {
        let error = Mapping::parse(text, Path::new("mapping.yaml")).expect_err("should be refused");
        let cause = std::error::Error::source(&error)
            .map(|source| format!("\n{source}"))
            .unwrap_or_default();
        expected.assert_eq(&format!("{error}{cause}"));
    }

    #[test]
    fn a_mapping_names_ways_and_moves_by_state() {
        let mapping = Mapping::parse(SMALL, Path::new("m.yaml")).expect("valid");
        let [new, done] = ["new", "done"].map(|id| model::id::StateId::new(id).expect("an id"));
        assert_eq!(
            mapping.begin.name(&new).expect("named").as_str(),
            "begin-new"
        );
        assert_eq!(
            mapping.moves.name(&new, &done).expect("named").as_str(),
            "to-done"
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        refused(
            &SMALL.replace("begin-{state}", "Begin {state}"),
            expect![
                "the mapping mapping.yaml: `begin: Begin {state}`: `Begin new` is not the id of a transition: up to 64 lower-case letters and digits, in words joined by `-`, a letter first"
            ],
        );
        refused(
            &SMALL.replace("column: at", "column: at, format: '%d-%m-%Y'"),
            expect![
                "the mapping mapping.yaml: `time: format: %d-%m-%Y` does not tell a date, a time and an offset; add `zone: Europe/Brussels` or yours"
            ],
        );
        refused(
            &SMALL.replace("column: at", "column: at, format: '%d-%m-%Y %H:%M'"),
            expect![
                "the mapping mapping.yaml: `time: format: %d-%m-%Y %H:%M` does not tell a date, a time and an offset; add `zone: Europe/Brussels` or yours"
            ],
        );
        refused(
            &SMALL.replace("text: 'Case {number}'", "text: x, column: y"),
            expect![
                "the mapping mapping.yaml: field `summary`: it is made from one of `column`, `text` and `value`"
            ],
        );
        refused(
            &SMALL.replace("targets:", "target:"),
            expect![[r"
            the mapping mapping.yaml is not as it should be
            error: line 13 column 1: unknown field `target`, expected one of pack, workflow, log, case, time, state, begin, move, actor, fields, targets
              --> <input>:13:1
               |
            11 |   impact: { column: impact, values: { High: high, Low: low }, whe…
            12 |   summary: { text: 'Case {number}', when: begin }
            13 | target: [resolution]
               | ^ unknown field `target`, expected one of pack, workflow, log, case, time, state, begin, move, actor, fields, targets"]],
        );
    }

    #[test]
    fn local_times_become_instants_across_the_change_of_clocks() {
        let time = Time {
            column: "at".to_owned(),
            format: Some("%d-%m-%Y %H:%M".to_owned()),
            zone: Some(chrono_tz::Europe::Brussels),
        };
        let check = |cell: &str, utc: &str| {
            assert_eq!(
                time.parse(cell)
                    .map(model::Instant::to_seconds_text)
                    .as_deref(),
                Some(utc),
                "{cell}"
            );
        };
        check("01-03-2016 09:30", "2016-03-01T08:30:00Z");
        check("27-03-2016 02:30", "2016-03-27T01:30:00Z");
        check("30-10-2016 02:30", "2016-10-30T00:30:00Z");
        assert!(time.parse("13-13-2016 09:30").is_none());
        assert!(time.parse("?").is_none());
    }
}
