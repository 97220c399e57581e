//! The plugin host with real components: those that ship, and one that does whatever a plugin should
//! not. Where they have not been built the tests say so and pass; `cargo xtask test` builds them.

#![allow(clippy::unwrap_used, reason = "everything here is a test or helps one")]

mod hostile;
mod outgoing;
mod secrets_in_requests;
mod set_up;
mod shipped;
mod signing;
mod support;
mod versions;
