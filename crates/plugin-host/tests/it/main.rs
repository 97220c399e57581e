//! The plugin host with real components: those that ship, and one that does whatever a plugin should
//! not. Where they have not been built the tests say so and pass; `cargo xtask test` builds them.

#![allow(clippy::unwrap_used, reason = "everything here is a test or helps one")]

mod assemble;
mod cases;
mod contract;
mod golden;
mod grants;
mod hostile;
mod life;
mod neighbours;
mod outgoing;
mod said;
mod secrets_in_requests;
mod server;
mod set_up;
mod shipped;
mod signing;
mod ssrf;
mod support;
mod versions;
