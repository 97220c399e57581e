//! Cases for plugins: what a built component is asked, and what it must answer, in the real sandbox
//! with its real limits.
//!
//! A plugin's folder has files `tests/*.yaml`. Each holds cases; what stands beside `cases` holds for
//! all of them, and each is merged over it as RFC 7386 has it:
//!
//! ```yaml
//! settings: { team: desk }
//! desk:
//!   teams: { desk: { ann: { open_records: 7 }, bob: {} } }
//! cases:
//!   the quietest gets it:
//!     record: { workflow: incident, fields: { impact: high } }
//!     expect: { answer: { assignment: { team: desk, assignee: bob, reason: bob has 0 open. } } }
//! ```
//!
//! What stands around a plugin is played: the clock is the case's, the desk answers look-ups, and
//! requests to the outside are answered from the case, after the host has checked them as ever and
//! filled secrets in. The rest is the host that servers run.

mod case;
mod compare;
mod desk;
mod log;
mod outcome;
mod outside;
mod sandbox;
mod suite;

pub use case::Case;
pub use compare::Difference;
pub use sandbox::{Ran, Sandbox};
pub use suite::{Suite, read};

use std::path::PathBuf;

use thiserror::Error;

/// Why cases cannot be read or asked at all.
#[derive(Debug, Error)]
pub enum Error {
    /// A file of cases cannot be read or written.
    #[error("cannot use {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        cause: std::io::Error,
    },
    /// A file of cases is not right.
    #[error("{path}: {message}")]
    Case {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        message: String,
    },
    /// The component is none.
    #[error(transparent)]
    Component(#[from] engine::port::InspectError),
    /// The sandbox does not start.
    #[error(transparent)]
    Host(#[from] plugin_host::Error),
    /// There is no folder for compiled code.
    #[error("cannot make a temporary folder")]
    Temporary(#[source] std::io::Error),
}
