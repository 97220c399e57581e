//! The Plugins port on wasmtime: components are loaded, granted, limited and called.
//!
//! A component passes through three stages, each costing what it should only once:
//!
//! | stage | when | what may fail there |
//! | --- | --- | --- |
//! | [`inspect`](engine::port::Plugins::inspect) | a file is looked at | it is no component |
//! | set up | bindings change | hooks, grants, settings, imports, compiling |
//! | call | a hook is asked | the guest: it traps, loops, allocates, floods or answers nonsense |
//!
//! Every call has a fresh instance from a template that was linked beforehand, and whatever the guest
//! does, the call ends within its limits and says how. Nothing here decides what an answer means.

mod active;
mod breaker;
mod call;
mod caller;
mod capability;
mod compiled;
mod compiler;
mod contract;
mod deployed;
mod failure;
mod figures;
#[doc(hidden)]
pub mod fuzzing;
mod guest;
mod host;
mod inspect;
mod lane;
mod limits;
mod lines;
mod link;
mod manifest;
mod options;
mod runtime;
mod schema;
mod self_test;
mod trial;

pub use breaker::BreakerState;
pub use compiler::{Compiler, compile};
pub use figures::HookFigures;
pub use host::WasmPlugins;
pub use lines::LogLine;
pub use options::{CallLimits, Error, Exchange, Options, Resolver, SecretValue, Secrets};
pub use trial::{Difference, TrialFigures};
