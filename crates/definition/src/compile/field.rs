//! What one field or input accepts: from JSON, as people and integrations give it, to a value.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use model::Value;
use model::id::{DirectoryKind, FieldId, OptionId, TableId};

use super::types::Permits;
use crate::expression::Expression;

/// A field of a workflow, or an input of a form.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its id.
    pub id: FieldId,
    /// What people see.
    pub label: String,
    /// The definition, for forms and their schemas.
    pub source: model::definition::Field,
    /// What it holds.
    pub kind: FieldKind,
    /// What it holds where nobody says otherwise.
    pub default: Value,
    /// Computes it.
    pub value: Option<Expression>,
    /// The fields that `value` reads.
    pub reads: BTreeSet<FieldId>,
    /// The table that decides it.
    pub decided_by: Option<TableId>,
    /// Who may set it in place of the table.
    pub overridden_by: Permits,
    /// Who may change it outside forms; none is whoever may edit the record.
    pub edit: Option<Permits>,
}

/// What a field holds.
#[derive(Clone, Debug)]
pub enum FieldKind {
    /// Text.
    Text,
    /// One of these options.
    Options(IndexMap<OptionId, String>),
    /// A calendar date.
    Date,
    /// An instant.
    Instant,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// Several texts.
    Texts,
    /// The id of a thing in the directory.
    Reference(DirectoryKind),
    /// The ids of several things.
    References(DirectoryKind),
    /// A JSON object.
    Object,
}
