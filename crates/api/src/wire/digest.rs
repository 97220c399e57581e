//! Digests that were given up, as operators see them.

use engine::DigestGivenUp;
use model::Instant;
use model::id::{BindingId, DirectoryId, PersonId};
use serde::Serialize;
use utoipa::ToSchema;

/// A part of the digests that were given up.
#[derive(Serialize, ToSchema)]
pub struct Digests<'a> {
    /// The digests, in order of person.
    pub(crate) digests: Vec<Digest<'a>>,
    /// What to give as `cursor` for the next part; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) next: Option<DirectoryId>,
}

/// A digest that did not arrive.
#[derive(Serialize, ToSchema)]
pub struct Digest<'a> {
    /// Whose it is, as `/digests/{person}/redrive` takes it.
    #[schema(value_type = String)]
    person: &'a PersonId,
    /// By which binding.
    #[schema(value_type = String)]
    binding: &'a BindingId,
    /// For which time.
    #[schema(value_type = String, format = DateTime)]
    due: Instant,
    /// How often it was tried.
    attempts: u32,
    /// What went wrong last.
    error: &'a str,
}

impl<'a> From<&'a DigestGivenUp> for Digest<'a> {
    fn from(digest: &'a DigestGivenUp) -> Self {
        Self {
            person: &digest.person,
            binding: &digest.binding,
            due: digest.due,
            attempts: digest.attempts,
            error: &digest.error,
        }
    }
}
