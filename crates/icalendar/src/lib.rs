//! iCalendar files (RFC 5545), as other tools publish holidays, shifts and planned windows: what
//! happens between two dates, every repetition told singly. And such files written, for other tools.
//! And their rules by themselves, where dates recur by one ([`rule`]).
//!
//! Files are a stranger's. Everything has a bound ([`read::MAX_BYTES`] and its neighbours); an event
//! that cannot be read is told as such, with the reason, and spares the others.

mod moment;
pub mod read;
mod repeat;
pub mod rule;
mod write;

pub use read::{Attendee, Event, File, ReadError, Reason, Skipped, Span, Window, read};
pub use rule::{DateRule, RuleError};
pub use write::{Written, write};
