//! Service levels: which records were promised what, in which calendar, and what warns of a breach.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cel, Effect, Table};
use crate::id::{
    BindingId, CalendarId, EffectName, TableId, TargetId, TransitionId, WarningId, WorkflowId,
};
use crate::time::Period;

/// An SLA, OLA or underpinning contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceLevel {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who promises it to whom.
    #[serde(rename = "type")]
    pub kind: ServiceLevelType,
    /// The workflows whose records it covers, each where its expression holds.
    #[serde(rename = "for")]
    pub covers: IndexMap<WorkflowId, Cel>,
    /// What becomes of its clocks where it does not cover their record any more.
    #[serde(default, skip_serializing_if = "OnUncovered::is_continue")]
    pub uncovered: OnUncovered,
    /// Where business time is counted.
    pub calendar: CalendarChoice,
    /// The thing whose `zone` the calendar is read in: `requester.site`. The calendar's own zone
    /// without it, or where the thing has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Relation>,
    /// Its promises.
    pub targets: IndexMap<TargetId, Target>,
    /// Decision tables that give a `goal`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub tables: IndexMap<TableId, Table>,
}

/// Who promises what to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ServiceLevelType {
    /// A service-level agreement, with the customer.
    Sla,
    /// An operational-level agreement, within the organisation.
    Ola,
    /// An underpinning contract, with a supplier.
    Uc,
}

/// What becomes of the clocks of a service level that does not cover their record any more, such as when
/// the customer's contract is another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum OnUncovered {
    /// They go on.
    #[default]
    Continue,
    /// They are cancelled, and the clock of the same target of a service level of the same type that
    /// covers the record from then on takes over, by its `change`. What has stopped stays as it was
    /// judged.
    Cancel,
}

impl OnUncovered {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde calls"
    )]
    fn is_continue(&self) -> bool {
        *self == Self::Continue
    }
}

/// The calendar of a service level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CalendarKeys", into = "CalendarKeys")]
pub enum CalendarChoice {
    /// Always this one.
    Named(CalendarId),
    /// The one whose id the expression gives.
    Cel(Cel),
    /// The one that a thing has as its `calendar`.
    Of {
        /// The thing.
        of: Relation,
        /// The one where there is no such thing, or it has none.
        otherwise: CalendarId,
    },
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "CalendarChoice")]
struct CalendarKeys {
    /// Always this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    named: Option<CalendarId>,
    /// The one whose id the expression gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    cel: Option<Cel>,
    /// The one that a thing has as its `calendar`: `requester.site`, `team`, `contract`.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<Relation>,
    /// With `of`: the one where there is no such thing, or it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    otherwise: Option<CalendarId>,
}

impl TryFrom<CalendarKeys> for CalendarChoice {
    type Error = &'static str;

    fn try_from(keys: CalendarKeys) -> Result<Self, Self::Error> {
        match (keys.named, keys.cel, keys.of, keys.otherwise) {
            (Some(id), None, None, None) => Ok(Self::Named(id)),
            (None, Some(cel), None, None) => Ok(Self::Cel(cel)),
            (None, None, Some(of), Some(otherwise)) => Ok(Self::Of { of, otherwise }),
            _ => Err(
                "a calendar is told by one of `named`, `cel`, or `of` with `otherwise`: `{ of: requester.site, otherwise: office }`",
            ),
        }
    }
}

impl From<CalendarChoice> for CalendarKeys {
    fn from(choice: CalendarChoice) -> Self {
        match choice {
            CalendarChoice::Named(id) => Self {
                named: Some(id),
                ..Self::default()
            },
            CalendarChoice::Cel(cel) => Self {
                cel: Some(cel),
                ..Self::default()
            },
            CalendarChoice::Of { of, otherwise } => Self {
                of: Some(of),
                otherwise: Some(otherwise),
                ..Self::default()
            },
        }
    }
}

impl JsonSchema for CalendarChoice {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CalendarChoice".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = CalendarKeys::json_schema(generator);
        schema.insert("minProperties".to_owned(), 1.into());
        schema.insert(
            "dependentRequired".to_owned(),
            serde_json::json!({ "of": ["otherwise"], "otherwise": ["of"] }),
        );
        let alone = serde_json::json!({ "maxProperties": 1 });
        schema.insert(
            "dependentSchemas".to_owned(),
            serde_json::json!({ "named": alone, "cel": alone, "of": { "maxProperties": 2 } }),
        );
        schema
    }
}

/// A thing of the directory that a record leads to: `requester`, `assignee`, `team`, a field that refers
/// to something, or what one of these names in an attribute, such as `requester.site`. An attribute
/// names a thing of the kind that is called as it is; `manager` and `owner` name people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Relation {
    /// What of the record: `requester`, `assignee`, `team`, or a field.
    pub first: String,
    /// The attribute of that which names the thing.
    pub attribute: Option<String>,
}

impl TryFrom<String> for Relation {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_name = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_lowercase())
                && name.len() <= 64
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        let (first, attribute) = match text.split_once('.') {
            Some((first, attribute)) => (first, Some(attribute)),
            None => (text.as_str(), None),
        };
        if !is_name(first) || !attribute.is_none_or(is_name) {
            let text: String = text.chars().take(60).collect();
            return Err(format!(
                "`{text}` is not a thing that a record leads to, such as `team`, `contract` or `requester.site`"
            ));
        }
        Ok(Self {
            first: first.to_owned(),
            attribute: attribute.map(str::to_owned),
        })
    }
}

impl From<Relation> for String {
    fn from(relation: Relation) -> Self {
        relation.to_string()
    }
}

impl std::fmt::Display for Relation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.first)?;
        match &self.attribute {
            Some(attribute) => write!(f, ".{attribute}"),
            None => Ok(()),
        }
    }
}

/// One promise of a service level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The clock runs from the first entry where this holds.
    pub start: Cel,
    /// It stands still while this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Cel>,
    /// It ends at the first entry where this holds.
    pub stop: Cel,
    /// What becomes of a stopped clock whose record is taken up again.
    #[serde(default, skip_serializing_if = "OnReopen::is_ignore")]
    pub reopened: OnReopen,
    /// How much time there is.
    pub goal: Goal,
    /// What a new goal or calendar does to the time already used.
    #[serde(default, skip_serializing_if = "OnChange::is_keep")]
    pub change: OnChange,
    /// Signs given before the breach.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub warnings: IndexMap<WarningId, Warning>,
    /// What a breach causes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breach: Option<Breach>,
}

/// What becomes of a stopped clock whose stop condition no longer holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum OnReopen {
    /// It stays stopped.
    #[default]
    Ignore,
    /// It goes on from the time used so far.
    Continue,
    /// It begins again from nothing.
    Restart,
}

impl OnReopen {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde calls"
    )]
    fn is_ignore(&self) -> bool {
        *self == Self::Ignore
    }
}

/// What a new goal or calendar does to the time already used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum OnChange {
    /// It stays used, as it was counted.
    #[default]
    Keep,
    /// The clock begins again from nothing.
    Restart,
    /// It is counted again from the journal, as if goal and calendar had been these since the record
    /// began.
    Recompute,
}

impl OnChange {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde calls"
    )]
    fn is_keep(&self) -> bool {
        *self == Self::Keep
    }
}

/// How much time a target gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "GoalKeys", into = "GoalKeys")]
pub enum Goal {
    /// A table of the service level that gives `goal`, in the service level's calendar.
    Table(TableId),
    /// Business time in the service level's calendar.
    Business(Period),
    /// Time as it passes.
    Time(Period),
    /// What a binding answers.
    Plugin {
        /// The binding.
        binding: BindingId,
        /// The definition's own goal, where no valid answer comes.
        fallback: Box<Goal>,
    },
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Goal")]
struct GoalKeys {
    /// The table that gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<TableId>,
    /// Business time in the service level's calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    business: Option<Period>,
    /// Time as it passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Period>,
    /// The binding that is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<BindingId>,
    /// With `plugin`: the goal where no valid answer comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback: Option<Box<GoalKeys>>,
}

impl TryFrom<GoalKeys> for Goal {
    type Error = &'static str;

    fn try_from(keys: GoalKeys) -> Result<Self, Self::Error> {
        let named = [
            keys.table.is_some(),
            keys.business.is_some(),
            keys.time.is_some(),
            keys.plugin.is_some(),
        ];
        if named.into_iter().filter(|named| *named).count() != 1
            || (keys.fallback.is_some() && keys.plugin.is_none())
        {
            return Err(
                "a goal is told by one of `table`, `business`, `time`, or `plugin` with `fallback`",
            );
        }
        match keys {
            GoalKeys {
                table: Some(table), ..
            } => Ok(Self::Table(table)),
            GoalKeys {
                business: Some(period),
                ..
            } => Ok(Self::Business(period)),
            GoalKeys {
                time: Some(period), ..
            } => Ok(Self::Time(period)),
            GoalKeys {
                plugin: Some(binding),
                fallback: Some(fallback),
                ..
            } => match Self::try_from(*fallback)? {
                Self::Plugin { .. } => {
                    Err("the fallback of a plugin's goal is not another plugin's")
                }
                fallback => Ok(Self::Plugin {
                    binding,
                    fallback: Box::new(fallback),
                }),
            },
            _ => Err(
                "a plugin's goal needs a `fallback: { business: PT8H }` for when it gives no answer",
            ),
        }
    }
}

impl From<Goal> for GoalKeys {
    fn from(goal: Goal) -> Self {
        match goal {
            Goal::Table(table) => Self {
                table: Some(table),
                ..Self::default()
            },
            Goal::Business(period) => Self {
                business: Some(period),
                ..Self::default()
            },
            Goal::Time(period) => Self {
                time: Some(period),
                ..Self::default()
            },
            Goal::Plugin { binding, fallback } => Self {
                plugin: Some(binding),
                fallback: Some(Box::new((*fallback).into())),
                ..Self::default()
            },
        }
    }
}

impl JsonSchema for Goal {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Goal".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        GoalKeys::json_schema(generator)
    }
}

/// A sign given before the breach, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WarningKeys", into = "WarningKeys")]
pub struct Warning {
    /// When it is given.
    pub point: WarningPoint,
    /// What it causes.
    pub effects: IndexMap<EffectName, Effect>,
}

/// When a warning is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarningPoint {
    /// When this share of the goal is used.
    Percent(u32),
    /// When this much of the goal is left.
    Left(Period),
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Warning")]
struct WarningKeys {
    /// The share of the goal that is used, 1 to 99.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 99))]
    percent: Option<u32>,
    /// How much of the goal is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<Period>,
    /// What it causes.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    effects: IndexMap<EffectName, Effect>,
}

impl TryFrom<WarningKeys> for Warning {
    type Error = &'static str;

    fn try_from(keys: WarningKeys) -> Result<Self, Self::Error> {
        let point = match (keys.percent, keys.left) {
            (Some(percent @ 1..=99), None) => WarningPoint::Percent(percent),
            (None, Some(left)) => WarningPoint::Left(left),
            _ => return Err("a warning is told by `percent: 1` to `99`, or by `left: PT1H`"),
        };
        Ok(Self {
            point,
            effects: keys.effects,
        })
    }
}

impl From<Warning> for WarningKeys {
    fn from(warning: Warning) -> Self {
        let (percent, left) = match warning.point {
            WarningPoint::Percent(percent) => (Some(percent), None),
            WarningPoint::Left(left) => (None, Some(left)),
        };
        Self {
            percent,
            left,
            effects: warning.effects,
        }
    }
}

impl JsonSchema for Warning {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Warning".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        WarningKeys::json_schema(generator)
    }
}

/// What a breach causes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Breach {
    /// The transition it takes, where the record's state has it.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub transition: Option<TransitionId>,
    /// What it causes outside.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub effects: IndexMap<EffectName, Effect>,
}
