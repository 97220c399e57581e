//! Translations: the texts of definitions in another language, in the shape of the definitions.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The texts of definitions in one language, whose tag is the id: `fr`, `pt-br`. Under each kind and id
/// stands the tree of the definition again, with nothing in it but texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Translation {
    /// What the language is called by those who speak it.
    pub title: String,
    /// Texts of workflows.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub workflows: IndexMap<String, Texts>,
    /// Texts of items of the catalogue.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub catalogue: IndexMap<String, Texts>,
    /// Texts of notices.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub notices: IndexMap<String, Texts>,
    /// Texts of teams.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub teams: IndexMap<String, Texts>,
}

/// A text, or texts by key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Texts {
    /// A text.
    Text(String),
    /// Texts by key.
    Of(IndexMap<String, Texts>),
}
