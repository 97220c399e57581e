//! Typed ids. What definitions name is kebab-case; what expressions name is `snake_case`, because
//! CEL reads `cost-centre` as a subtraction; people and outside things keep the id they came with.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;
use thiserror::Error;

/// Why a text is not an id of its kind.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{text}` is not {what}: {rule}")]
pub struct IdError {
    text: String,
    what: &'static str,
    rule: &'static str,
}

/// The spelling that a kind of id keeps to.
struct Spelling {
    rule: &'static str,
    pattern: &'static str,
    holds: fn(&str) -> bool,
}

const KEBAB: Spelling = Spelling {
    rule: "up to 64 lower-case letters and digits, in words joined by `-`, a letter first",
    pattern: "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
    holds: |text| is_words(text, '-'),
};
const SNAKE: Spelling = Spelling {
    rule: "up to 64 lower-case letters and digits, in words joined by `_`, a letter first",
    pattern: "^[a-z][a-z0-9]*(_[a-z0-9]+)*$",
    holds: |text| is_words(text, '_'),
};
const EITHER: Spelling = Spelling {
    rule: "up to 64 lower-case letters and digits, in words joined by `-` or `_`",
    pattern: "^[a-z0-9]+([-_][a-z0-9]+)*$",
    holds: |text| {
        text.len() <= 64
            && text.split(['-', '_']).all(|word| {
                !word.is_empty()
                    && word
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            })
    },
};
const OUTSIDE: Spelling = Spelling {
    rule: "1 to 200 printable characters without blanks at either end",
    pattern: "^\\S(.{0,198}\\S)?$",
    holds: |text| {
        !text.is_empty()
            && text.len() <= 200
            && text.trim() == text
            && !text.chars().any(char::is_control)
    },
};
const NUMBER: Spelling = Spelling {
    rule: "a prefix of 2 to 8 capitals, `-` and a number, such as INC-1042",
    pattern: "^[A-Z][A-Z0-9]{1,7}-[1-9][0-9]{0,14}$",
    holds: |text| {
        text.split_once('-').is_some_and(|(prefix, number)| {
            is_prefix(prefix)
                && (1..=15).contains(&number.len())
                && number.bytes().all(|b| b.is_ascii_digit())
                && !number.starts_with('0')
        })
    },
};

fn is_words(text: &str, joint: char) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split(joint).all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

/// Whether a text may stand before the number of a record: 2 to 8 capitals and digits, a letter first.
pub fn is_prefix(text: &str) -> bool {
    (2..=8).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident: $spelling:expr, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);

        impl $name {
            /// Parses the id, holding it to the spelling of its kind.
            pub fn new(text: &str) -> Result<Self, IdError> {
                if ($spelling.holds)(text) {
                    Ok(Self(SmolStr::new(text)))
                } else {
                    let text = text.chars().take(80).collect();
                    Err(IdError { text, what: $what, rule: $spelling.rule })
                }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = SmolStr::deserialize(deserializer)?;
                if ($spelling.holds)(&text) {
                    Ok(Self(text))
                } else {
                    Self::new(&text).map_err(serde::de::Error::custom)
                }
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "maxLength": 200, "pattern": $spelling.pattern })
            }
        }
    )*};
}

ids! {
    /// The id of a pack.
    PackId: KEBAB, "the id of a pack";
    /// The id of a workflow.
    WorkflowId: KEBAB, "the id of a workflow";
    /// The id of a state of a workflow.
    StateId: KEBAB, "the id of a state";
    /// The id of a transition, or of a way to begin.
    TransitionId: KEBAB, "the id of a transition";
    /// The id of a decision table.
    TableId: KEBAB, "the id of a table";
    /// The id of a row of a decision table.
    RowId: KEBAB, "the id of a row";
    /// The id of a timer of a state or of a workflow.
    TimerId: KEBAB, "the id of a timer";
    /// The id of a condition in `require`.
    RequirementId: KEBAB, "the id of a requirement";
    /// The id of a stage of an approval.
    StageId: KEBAB, "the id of a stage";
    /// The id of a task within a state.
    TaskId: KEBAB, "the id of a task";
    /// The id of a group of fields.
    GroupId: KEBAB, "the id of a group";
    /// The id of a part of workflows that several of them use.
    FragmentId: KEBAB, "the id of a fragment";
    /// The id of an item of the catalogue.
    CatalogueItemId: KEBAB, "the id of a catalogue item";
    /// The tag of a language, which is the id of a translation: `fr`, `pt-br`.
    LanguageTag: KEBAB, "the tag of a language";
    /// The id of a migration.
    MigrationId: KEBAB, "the id of a migration";
    /// The id of an approver within a stage.
    ApproverId: KEBAB, "the id of an approver";
    /// The id of an effect within a transition, a timer or a target.
    EffectName: KEBAB, "the id of an effect";
    /// The id of a service level.
    ServiceLevelId: KEBAB, "the id of a service level";
    /// The id of a target of a service level.
    TargetId: KEBAB, "the id of a target";
    /// The id of a warning of a target.
    WarningId: KEBAB, "the id of a warning";
    /// The id of a calendar.
    CalendarId: KEBAB, "the id of a calendar";
    /// The id of holidays that calendars use.
    HolidaysId: KEBAB, "the id of holidays";
    /// The id of an interval of hours, or of anything else that only a calendar names.
    HoursId: KEBAB, "the id of an interval";
    /// The id of dates that recur.
    RecurringId: KEBAB, "the id of dates that recur";
    /// The id of a team.
    TeamId: KEBAB, "the id of a team";
    /// The id of a role.
    RoleId: KEBAB, "the id of a role";
    /// The id of a layer of a rota.
    LayerId: KEBAB, "the id of a layer";
    /// The id of a shift: an override of a rota, or a span that a layer is given.
    ShiftId: KEBAB, "the id of a shift";
    /// The id of a step of an escalation.
    EscalationStepId: KEBAB, "the id of a step of an escalation";
    /// The id of a notice.
    NoticeId: KEBAB, "the id of a notice";
    /// The id of a binding: a plugin put to use.
    BindingId: KEBAB, "the id of a binding";
    /// The kind of a thing in the directory, such as `user`, `service` or a configuration item's class.
    DirectoryKind: KEBAB, "a kind of the directory";
    /// The id of a scenario.
    ScenarioId: KEBAB, "the id of a scenario";
    /// The id of a step of a scenario.
    StepId: KEBAB, "the id of a step";
    /// The id of a secret that a binding may use.
    SecretId: KEBAB, "the id of a secret";
    /// The id of a practice, such as `incident-management`.
    PracticeId: KEBAB, "the id of a practice";
    /// The id of a field of a workflow, or of an input of a form.
    FieldId: SNAKE, "the id of a field";
    /// The kind of a link between records.
    LinkKind: SNAKE, "a kind of link";
    /// One of the values that a field with options may take.
    OptionId: EITHER, "the id of an option";
    /// The id of a period out of office.
    AbsenceId: KEBAB, "the id of an absence";
    /// The id of a person, as the directory and tokens know them.
    PersonId: OUTSIDE, "the id of a person";
    /// The id of a thing in the directory.
    DirectoryId: OUTSIDE, "an id of the directory";
    /// The number of a record, such as `INC-1042`.
    RecordId: NUMBER, "the number of a record";
}

impl RecordId {
    /// The number `number` under a prefix for which [`is_prefix`] holds.
    pub fn numbered(prefix: &str, number: u64) -> Result<Self, IdError> {
        Self::new(&format!("{prefix}-{number}"))
    }

    /// Its number, without the prefix.
    pub fn number(&self) -> u64 {
        self.0
            .split_once('-')
            .and_then(|(_, number)| number.parse().ok())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{FieldId, OptionId, PersonId, RecordId, StateId};

    #[test]
    fn each_kind_of_id_keeps_to_its_spelling() {
        assert!(StateId::new("in-progress").is_ok());
        for wrong in ["", "-a", "a-", "a--b", "A", "a_b", "1a", &"a".repeat(65)] {
            assert!(StateId::new(wrong).is_err(), "{wrong}");
        }
        assert!(FieldId::new("cost_centre").is_ok());
        assert!(FieldId::new("cost-centre").is_err());
        assert!(OptionId::new("3-low_impact").is_ok());
        assert!(PersonId::new("ada@desk.example").is_ok());
        assert!(PersonId::new(" ada").is_err());
        assert_eq!(RecordId::new("INC-1042").map(|id| id.number()), Ok(1042));
        for wrong in ["INC-0", "INC-01", "inc-1", "INC", "INC-", "I-1"] {
            assert!(RecordId::new(wrong).is_err(), "{wrong}");
        }
    }
}
