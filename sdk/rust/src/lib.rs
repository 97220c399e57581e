//! What the author of a Servicewright plugin depends on.
//!
//! A plugin is a WebAssembly component that answers at one or more *hooks*. Each hook is a trait
//! here, in a module of its own, and a macro puts an implementation in the place where the server
//! looks for it:
//!
//! | module | trait | macro | asked |
//! | --- | --- | --- | --- |
//! | [`approval`] | [`approval::Approval`] | [`export_approval!`] | who has to agree |
//! | [`routing`] | [`routing::Routing`] | [`export_routing!`] | who should work on it |
//! | [`service_level`] | [`service_level::ServiceLevel`] | [`export_service_level!`] | what was promised |
//! | [`delivery`] | [`delivery::Delivery`] | [`export_delivery!`] | to tell the outside world |
//! | [`webhook`] | [`webhook::Webhook`] | [`export_webhook!`] | what a request means |
//! | [`schedule`] | [`schedule::Schedule`] | [`export_schedule!`] | to look at the outside world |
//!
//! The first three are *pure*: the answer follows from what they are given and what they look up in
//! [`directory`] and [`business_time`], so that any decision can be replayed. The other three may
//! also use [`http`](crate#features), [`key_value`] and [`signing`], as far as their binding grants it.
//!
//! # A whole plugin
//!
//! ```
//! use serde::Deserialize;
//! use servicewright_sdk::directory;
//! use servicewright_sdk::routing::{self, Assignment, Call, Record, Routing};
//!
//! #[derive(Deserialize)]
//! struct Settings {
//!     team: String,
//! }
//!
//! struct LeastLoaded;
//!
//! impl Routing for LeastLoaded {
//!     fn route(call: &Call, record: &Record) -> routing::Result<Assignment> {
//!         let settings: Settings = call.settings()?;
//!         let impact: &str = record.field("impact")?;
//!         let members = directory::members(&settings.team)?;
//!         let idle = members.iter().min_by_key(|member| member.open_records);
//!         Ok(Assignment {
//!             team: settings.team,
//!             assignee: idle.map(|member| member.user.clone()),
//!             reason: format!("Of {} people the least busy, for {impact} impact.", members.len()),
//!         })
//!     }
//! }
//!
//! servicewright_sdk::export_routing!(LeastLoaded);
//!
//! // In a test, a desk to look at:
//! use servicewright_sdk::directory::Member;
//! use servicewright_sdk::testing::{self, Desk};
//!
//! let _desk = Desk::new().member("desk", Member::new("ann")).install();
//! let call = testing::call(&serde_json::json!({ "team": "desk" }));
//! let record = testing::record("incident").with("impact", "high");
//! let answer = LeastLoaded::route(&call, &record).unwrap();
//! assert_eq!(answer.assignee.as_deref(), Some("ann"));
//! ```
//!
//! A plugin's `Cargo.toml` says `crate-type = ["cdylib", "rlib"]`, and `wright plugin build` makes the
//! component, with the manifest inside. There is no build script and no interface file to copy.
//!
//! # Errors
//!
//! Hooks answer with [`Result`]. Every standard error turns into [`Error::Internal`] by `?`; the
//! other cases of [`Error`] tell the server what kind of failure it was. Whichever it is, the fallback
//! that the process owner declared applies.
//!
//! # Features
//!
//! `http` adds the module `http`: requests to the hosts that the binding grants. `schema` adds the
//! module `schema` and the macro `settings!`: the JSON Schema of the settings from their type.
#![warn(missing_docs)]

pub mod approval;
pub mod business_time;
mod call;
pub mod commands;
pub mod delivery;
pub mod directory;
mod error;
#[cfg(feature = "http")]
pub mod http;
pub mod key_value;
pub mod log;
mod record;
pub mod routing;
pub mod schedule;
#[cfg(feature = "schema")]
pub mod schema;
pub mod service_level;
pub mod signing;
mod time;
mod value;
pub mod webhook;

#[cfg(not(target_family = "wasm"))]
pub mod testing;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod guest;

pub use call::Call;
pub use error::{Error, OrInvalid, Result};
pub use record::{Category, Record};
pub use time::{Instant, IsoDuration, NotATime, TimeLimit};
pub use value::{Fields, FromValue, Value};

/// Where look-ups and the like are answered: by the server in a component, by a
/// [`testing::Desk`] natively.
mod host {
    #[cfg(target_family = "wasm")]
    pub(crate) use crate::guest::imports::*;
    #[cfg(not(target_family = "wasm"))]
    pub(crate) use crate::testing::host::*;
}

/// Defines one `export_…!` macro: on WebAssembly it makes the export, natively it only checks that
/// the type implements the hook's trait, so that `cargo test` needs no server.
macro_rules! define_export {
    ($dollar:tt $name:ident, $module:ident, $hook:ident, $world:ident, $docs:literal) => {
        #[doc = $docs]
        #[macro_export]
        macro_rules! $name {
                    ($dollar implementation:ty) => {
                        #[cfg(target_family = "wasm")]
                        const _: () = {
                            type Hook = $crate::guest::exports::$hook<$dollar implementation>;
                            $crate::guest::bindings::$world::export!(
                                Hook with_types_in $crate::guest::bindings::$world
                            );
                        };
                        #[cfg(not(target_family = "wasm"))]
                        const _: () = {
                            const fn implements<T: $crate::$module::$hook>() {}
                            implements::<$dollar implementation>();
                        };
                    };
                }
    };
}

define_export!($ export_approval, approval, Approval, approver,
    "Makes a type the component's `approval` hook; see [`approval::Approval`].");
define_export!($ export_routing, routing, Routing, router,
    "Makes a type the component's `routing` hook; see [`routing::Routing`].");
define_export!($ export_service_level, service_level, ServiceLevel, calculator,
    "Makes a type the component's `service-level` hook; see [`service_level::ServiceLevel`].");
define_export!($ export_delivery, delivery, Delivery, deliverer,
    "Makes a type the component's `delivery` hook; see [`delivery::Delivery`].");
define_export!($ export_webhook, webhook, Webhook, receiver,
    "Makes a type the component's `webhook` hook; see [`webhook::Webhook`].");
define_export!($ export_schedule, schedule, Schedule, poller,
    "Makes a type the component's `schedule` hook; see [`schedule::Schedule`].");
