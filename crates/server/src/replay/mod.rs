//! `wright replay`: an event log of another tool, driven through the real engine and store with the
//! log's own times as the clock. [`mapping`] says what the log means, [`log`] reads it.

pub mod log;
pub mod mapping;
