//! Why an adaptation cannot be upgraded.

use model::id::PackId;
use thiserror::Error;

use crate::source::Diagnostics;

/// Why an adaptation cannot be upgraded.
#[derive(Debug, Error)]
pub enum UpgradeError {
    /// The adaptation is not right as it stands.
    #[error("the adaptation is not right as it stands; put this right first:\n{0}")]
    Adaptation(Diagnostics),
    /// The new base is not right.
    #[error("the new base is not right:\n{0}")]
    Base(Diagnostics),
    /// The pack extends none.
    #[error("the pack extends none, so there is nothing to upgrade it to")]
    NoBase,
    /// The new base is another pack.
    #[error("the adaptation extends the pack `{extended}`, and cannot be upgraded to `{given}`")]
    OtherPack {
        /// The pack that is extended.
        extended: PackId,
        /// The one that was given.
        given: PackId,
    },
    /// A path to be taken is in no conflict.
    #[error("nothing is in conflict at `{path}`{}", near.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?")))]
    NoConflict {
        /// The path.
        path: String,
        /// The one that was probably meant.
        near: Option<String>,
    },
    /// A file cannot be edited without doubt.
    #[error(
        "{file} is written in a way in which it cannot be edited safely: make its part of the upgrade by hand, or write a key a line"
    )]
    Edit {
        /// The file.
        file: String,
    },
    /// The upgraded adaptation is not right.
    #[error("the upgraded adaptation would not be right:\n{0}")]
    Result(Diagnostics),
}
