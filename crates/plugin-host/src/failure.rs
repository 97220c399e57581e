//! How a call can fail, from whatever wasmtime, the guest or the server says to what the journal keeps.

use std::{fmt, io};

use model::hook::{Failure, FailureKind};
use thiserror::Error;
use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap};
use wasmtime_wasi::I32Exit;

use crate::guest::RESOURCES;

/// How much of a message is kept, in characters.
const MESSAGE: usize = 2_000;

/// How the error begins that wasmtime gives no public type.
const HANDED_OVER: &str = "too much data is being copied between the host and the guest";

/// The server ends a call, for a reason of its own.
#[derive(Clone, Debug, Error)]
#[error("{message}")]
pub(crate) struct Stop {
    pub(crate) kind: FailureKind,
    message: String,
}

impl Stop {
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

pub(crate) fn failure(kind: FailureKind, message: impl fmt::Display) -> Failure {
    Failure {
        kind,
        message: printable(&message.to_string()),
        retry_after: None,
    }
}

/// Why a call ended without the plugin having said anything. `denied` tells that it had been refused
/// memory, and `said` is what it wrote to its standard error, which is where panics go.
pub(crate) fn of_call(error: &wasmtime::Error, denied: bool, said: &str) -> Failure {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return failure(stop.kind, &stop.message);
    }
    if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
        return failure(FailureKind::Busy, "too many calls are under way");
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        return failure(FailureKind::Limit, too_many_things());
    }
    // Nothing that a guest does is told as an error of the system: it is the server that lacks something.
    if let Some(cause) = error.root_cause().downcast_ref::<io::Error>() {
        return failure(
            FailureKind::Busy,
            format!("the server cannot set the call up: {cause}"),
        );
    }
    let cause = error.root_cause().to_string();
    if cause.starts_with(HANDED_OVER) {
        return failure(
            FailureKind::Limit,
            "it handed over more at once than it may",
        );
    }
    if denied {
        return failure(
            FailureKind::Memory,
            "it asked for more memory than it may have",
        );
    }
    let what = if let Some(trap) = error.downcast_ref::<Trap>() {
        of_trap(*trap)
    } else if let Some(exit) = error.downcast_ref::<I32Exit>() {
        format!("it exited with status {}", exit.0)
    } else {
        format!("it did what it must not: {cause}")
    };
    let said = printable(said.trim());
    if said.is_empty() {
        failure(FailureKind::Trap, what)
    } else {
        failure(FailureKind::Trap, format!("{what}: {said}"))
    }
}

fn too_many_things() -> String {
    format!("it holds more than {RESOURCES} things of the server's at once")
}

fn of_trap(trap: Trap) -> String {
    match trap {
        Trap::StackOverflow => "its call stack ran out".to_owned(),
        Trap::UnreachableCodeReached => "it gave up".to_owned(),
        other => other.to_string(),
    }
}

/// Without control characters, and no longer than the journal should keep.
pub(crate) fn printable(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut kept: String = text.chars().take(MESSAGE).map(clean).collect();
    if text.chars().nth(MESSAGE).is_some() {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{Stop, of_call};
    use model::hook::FailureKind;
    use wasmtime::Trap;

    #[test]
    fn each_end_has_its_kind() {
        let cases = [
            (
                wasmtime::Error::from(Trap::StackOverflow),
                false,
                FailureKind::Trap,
            ),
            (
                wasmtime::Error::from(Trap::UnreachableCodeReached),
                true,
                FailureKind::Memory,
            ),
            (
                wasmtime::Error::from(Stop::new(FailureKind::Timeout, "late"))
                    .context("in a host call"),
                false,
                FailureKind::Timeout,
            ),
            (
                wasmtime::Error::from(io::Error::from(io::ErrorKind::ResourceBusy))
                    .context("cannot add seals to the memfd"),
                false,
                FailureKind::Busy,
            ),
        ];
        for (error, denied, kind) in cases {
            assert_eq!(of_call(&error, denied, "").kind, kind, "{error:?}");
        }
    }

    #[test]
    fn a_panic_says_what_the_plugin_wrote() {
        let error = wasmtime::Error::from(Trap::UnreachableCodeReached);
        let failure = of_call(&error, false, "\nthread panicked:\nno such field\n");
        assert_eq!(
            failure.message,
            "it gave up: thread panicked: no such field"
        );
    }
}
