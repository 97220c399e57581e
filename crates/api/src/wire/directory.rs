//! The directory as clients see it.

use model::directory::Thing as ModelThing;
use model::id::{DirectoryId, DirectoryKind};
use serde::Serialize;
use utoipa::ToSchema;

/// The attributes of a thing: a person, an organisation, a contract, a service, the members of a
/// team, or whatever kinds the organisation has.
#[derive(Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
pub struct Thing<'a>(pub(crate) &'a ModelThing);

/// A part of the things of a kind.
#[derive(Serialize, ToSchema)]
#[allow(clippy::struct_field_names, reason = "the word of the interface")]
pub struct Things<'a> {
    /// The kind.
    #[schema(value_type = String, example = "service")]
    pub(crate) kind: &'a DirectoryKind,
    /// The things, in order of id.
    pub(crate) things: Vec<ListedThing<'a>>,
    /// What to give as `cursor` for the next part; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// A thing in a list.
#[derive(Serialize, ToSchema)]
pub struct ListedThing<'a> {
    /// Its id.
    #[schema(value_type = String)]
    pub(crate) id: &'a DirectoryId,
    /// Its attributes.
    pub(crate) attributes: Thing<'a>,
}
