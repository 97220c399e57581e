//! Items of the catalogue: what can be asked for, each a patch on a workflow.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Cel;
use crate::id::WorkflowId;

/// What an item of the catalogue says of itself. All else that stands in it is a merge patch on its
/// workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogueItem {
    /// The workflow that it is an item of.
    pub of: WorkflowId,
    /// What people ask for.
    pub title: String,
    /// A sentence or two about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The heading under which it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Who is offered it: an expression over `actor` and `now`; everyone without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Cel>,
}

impl CatalogueItem {
    /// The keys that are the item's own. What else stands in it, `title` too, patches the workflow.
    pub const KEYS: [&str; 5] = ["of", "title", "description", "group", "offer"];
}
