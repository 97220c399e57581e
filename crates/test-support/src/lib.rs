//! What stories are told with: the real binary on a free port, with a data folder of its own, and
//! clients that speak HTTP to it. Nothing is mocked. What goes wrong here ends the test, with what
//! the server said.

mod client;
mod desk;
mod folder;
pub mod guest;
mod server;

pub use client::{Answer, Client};
pub use desk::load_example_desk;
pub use folder::{copy_folder, texts};
pub use server::{Server, Setup, binary, plugin_case, repository};
