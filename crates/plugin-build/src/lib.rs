//! From a plugin's folder to a component with its manifest inside: what `wright plugin build` does for
//! vendors, and `cargo xtask build` for the plugins that ship.

mod cargo;
mod manifest;
mod metadata;
mod target;

pub use cargo::component;
pub use manifest::{Manifest, append};
pub use metadata::describe;
pub use target::{TARGET, is_installed};
