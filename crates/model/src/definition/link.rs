//! Links between records: what a kind of link leads to, and what it is called from the other side.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{LinkKind, WorkflowId};

/// A kind of link. It is declared on one side; the other side knows it by its inverse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct LinkType {
    /// The workflows whose records it leads to.
    pub to: IndexMap<WorkflowId, bool>,
    /// What it is called from the other side; the same kind where both sides call it alike.
    pub inverse: LinkKind,
    /// What people see; the kind where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What people see from the other side; the inverse where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<String>,
}
