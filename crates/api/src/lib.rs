//! HTTP: routes, wire types, tokens, errors as problem+json, the OpenAPI document.
//!
//! One request goes through here like this: [`guard`] opens its span, finds out who asks, and holds
//! it to the limits; an extractor of [`ask`] reads the body; a handler of [`routes`] calls the
//! engine; and what the engine says is written in the types of [`wire`], or as a [`Problem`] with
//! one of the codes of [`Code`]. The table of routes is the one place that knows what exists: the
//! router and the OpenAPI document both come from it.

mod api;
mod ask;
mod auth;
mod code;
mod guard;
mod json;
mod linger;
mod openapi;
mod problem;
mod rate;
mod routes;
mod tag;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod vote_page;
pub mod wire;

pub use api::{Api, Limits, Trace, router};
pub use code::{Code, error_page};
pub use openapi::document;
pub use problem::{Fault, Problem};
