//! The component's side of the contract: generated bindings, kept out of every public signature.
//!
//! Public only because the `export_…!` macros expand into the plugin's crate; not for use by hand,
//! and without any promise.

#[expect(missing_docs, reason = "generated; the contract has the docs")]
pub mod bindings;
mod convert;
pub mod exports;
pub(crate) mod imports;
#[cfg(feature = "http")]
mod outgoing;
