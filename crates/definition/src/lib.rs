//! Packs of definitions: read with positions, overlaid, checked, compiled, linted. Pure.
//!
//! A pack comes in as a map of path to text. [`source`] reads the texts into trees that know where
//! everything stands, [`overlay`] lays the files of an adaptation over those of its base, [`pack`]
//! turns the result into typed definitions with digests, and [`schema`] publishes what may stand
//! in a file.

pub mod compile;
pub mod diff;
pub mod expression;
pub mod format;
pub mod graph;
pub mod lint;
pub mod overlay;
pub mod pack;
pub mod scenario;
pub mod schema;
pub mod source;
pub mod template;
pub mod upgrade;
