//! The words of Servicewright, as pure data: ids, time, values, records, commands, events,
//! journal entries and definitions. No I/O, no clock, no randomness.

pub mod absence;
pub mod command;
pub mod configuration;
pub mod definition;
pub mod digest;
pub mod directory;
pub mod event;
pub mod hook;
pub mod id;
pub mod journal;
pub mod record;
pub mod size;
pub mod time;
pub mod value;

pub use digest::Digest;
pub use size::ByteSize;
pub use time::{Duration, Instant};
pub use value::Value;
