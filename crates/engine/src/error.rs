//! What can go wrong around a decision.

use model::id::BindingId;
use thiserror::Error;

use crate::decide::DecideError;
use crate::port::{InspectError, LinkKeyError, StoreError};
use crate::rejection::Rejection;

/// Why a use case did not do what was asked. Nothing of it is kept.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The command is refused.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The record changed again and again while the command was decided, or a limit protects the server.
    #[error("{0}")]
    Busy(String),
    /// A pack or a component cannot be installed.
    #[error("it cannot be installed: {}", .0.join("; "))]
    Install(Vec<String>),
    /// A binding cannot be put to use.
    #[error("the binding `{binding}` cannot be put to use")]
    Binding {
        /// Which.
        binding: BindingId,
        /// Why.
        #[source]
        cause: InspectError,
    },
    /// What is installed does not read or compile: it is damaged, or of a newer version.
    #[error("what is installed does not compile: {0}")]
    Installed(String),
    /// A plugin gave no answer where one is needed.
    #[error("the plugin gave no answer: {0}")]
    Plugin(String),
    /// There is no key for links.
    #[error(transparent)]
    LinkKey(#[from] LinkKeyError),
}

impl From<DecideError> for EngineError {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Rejected(rejection) => Self::Rejected(rejection),
            DecideError::Store(store) => Self::Store(store),
        }
    }
}
