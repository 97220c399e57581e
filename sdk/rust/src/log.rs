//! Lines for the operator, shown with the trace of the call.
//!
//! How much a call may write is limited; what is beyond the limit is dropped.

use crate::host;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever works on the plugin.
    Debug,
    /// Worth knowing.
    Info,
    /// Somebody should look at it.
    Warn,
    /// Something failed.
    Error,
}

/// Writes a line.
pub fn write(level: Level, message: impl AsRef<str>) {
    host::log(level, message.as_ref());
}

/// Writes a line for whoever works on the plugin.
pub fn debug(message: impl AsRef<str>) {
    write(Level::Debug, message);
}

/// Writes a line worth knowing.
pub fn info(message: impl AsRef<str>) {
    write(Level::Info, message);
}

/// Writes a line somebody should look at.
pub fn warn(message: impl AsRef<str>) {
    write(Level::Warn, message);
}

/// Writes that something failed.
pub fn error(message: impl AsRef<str>) {
    write(Level::Error, message);
}
