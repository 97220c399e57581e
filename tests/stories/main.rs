//! Stories: what people and programs do with the real server, told over HTTP. One file per story, one
//! binary, so that they are linked once.

#[path = "../../crates/plugin-host/tests/it/assemble.rs"]
mod assemble;
mod change_approval;
mod first_hour;
mod grants;
mod hostile_components;
mod idempotency;
mod kill;
mod life;
mod listener;
mod misbehaving_plugin;
mod packs;
mod telemetry;
mod vendor;
mod webhook;
mod wrong_input;
