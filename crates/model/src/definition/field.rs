//! Fields, forms and the small shapes that all definitions share: permits, settings, waits.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{CalendarId, DirectoryKind, GroupId, OptionId, TableId};
use crate::time::Period;

/// The source of an expression in CEL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Cel(#[schemars(length(min = 1, max = 1000))] pub String);

/// Whether a role or relation may: always (`true`), or where an expression holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Permit {
    /// Always; `false` never.
    Always(bool),
    /// Where it holds.
    When(Cel),
}

/// A value that a definition gives to a field: a literal, or `{ cel: … }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Setting {
    /// Computed when it is given.
    Computed {
        /// The expression.
        cel: Cel,
    },
    /// Taken as it stands.
    Literal(serde_json::Value),
}

/// What a field of a record holds, or an input of a form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Field {
    /// The type of value, in JSON Schema's words. Told by `options` and `ref` too.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<FieldType>,
    /// A stricter reading of a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<FieldFormat>,
    /// The values to choose from, in order.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub options: IndexMap<OptionId, OptionLabel>,
    /// The kind of thing in the directory that the field names.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<DirectoryKind>,
    /// What people see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A sentence of help below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The section of forms in which it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// It is asked for only where this holds. In a form only; it may read what the form asks before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Cel>,
    /// Whether a form cannot go without it. In a form only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// What it holds where nobody says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// The fewest characters.
    #[serde(rename = "minLength", skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// The most characters.
    #[serde(rename = "maxLength", skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// A regular expression that the text matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The least number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// The greatest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// The most items of an array.
    #[serde(rename = "maxItems", skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
    /// Computes the field at every step; nobody else may set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Cel>,
    /// The table that decides the field.
    #[serde(rename = "decided-by", skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<TableId>,
    /// Who may set a decided field by hand; what they set stays until cleared.
    #[serde(rename = "override", skip_serializing_if = "IndexMap::is_empty")]
    pub overridden_by: IndexMap<String, Permit>,
    /// Who may change it outside forms, where not all who may edit the record; `{}` is nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<IndexMap<String, Permit>>,
}

/// A section of forms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Group {
    /// What people see above it.
    pub title: String,
    /// A sentence of help below that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Its fields are asked for only where this holds; it may read what the form asks before them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Cel>,
}

/// The type of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum FieldType {
    /// Text.
    String,
    /// A whole number of 64 bits.
    Integer,
    /// A finite number.
    Number,
    /// True or false.
    Boolean,
    /// Several texts; with `ref`, several ids.
    Array,
    /// A JSON object.
    Object,
}

/// A stricter reading of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum FieldFormat {
    /// A calendar date.
    Date,
    /// An instant, RFC 3339.
    DateTime,
    /// An address for e-mail.
    Email,
    /// An absolute URI.
    Uri,
}

/// How an option is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct OptionLabel {
    /// What people see; the id where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// How long to wait: told by `time` (days in the pack's zone) or by `business` in a named calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WaitKeys", into = "WaitKeys")]
pub enum Wait {
    /// As time passes.
    Time(Period),
    /// In the business time of a calendar.
    Business {
        /// How much of it.
        period: Period,
        /// Where it is counted.
        calendar: CalendarId,
    },
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Wait", inline)]
struct WaitKeys {
    /// As time passes; a day is a calendar day in the pack's zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Period>,
    /// Business time in `calendar`.
    #[serde(skip_serializing_if = "Option::is_none")]
    business: Option<Period>,
    /// The calendar of `business`.
    #[serde(skip_serializing_if = "Option::is_none")]
    calendar: Option<CalendarId>,
}

impl TryFrom<WaitKeys> for Wait {
    type Error = &'static str;

    fn try_from(keys: WaitKeys) -> Result<Self, Self::Error> {
        match keys {
            WaitKeys {
                time: Some(period),
                business: None,
                calendar: None,
            } => Ok(Self::Time(period)),
            WaitKeys {
                time: None,
                business: Some(period),
                calendar: Some(calendar),
            } => Ok(Self::Business { period, calendar }),
            WaitKeys {
                business: Some(_),
                calendar: None,
                ..
            } => Err("business time is counted in a calendar: add `calendar: …`"),
            _ => Err("a wait is told by `time: PT2H`, or by `business: PT8H` with `calendar: …`"),
        }
    }
}

impl From<Wait> for WaitKeys {
    fn from(wait: Wait) -> Self {
        match wait {
            Wait::Time(period) => Self {
                time: Some(period),
                ..Self::default()
            },
            Wait::Business { period, calendar } => Self {
                business: Some(period),
                calendar: Some(calendar),
                ..Self::default()
            },
        }
    }
}

impl JsonSchema for Wait {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Wait".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        WaitKeys::json_schema(generator)
    }
}
