//! From a plugin's folder to a component with its manifest inside: what `wright plugin build` does for
//! vendors, and `cargo xtask build` for the plugins that ship.

mod cargo;
mod javascript;
mod language;
mod manifest;
mod metadata;
mod python;
mod target;
mod world;

pub use language::component;
pub use manifest::{Manifest, append};
pub use metadata::describe;
pub use target::{TARGET, is_installed};
pub use world::{WORLD, write_world};
