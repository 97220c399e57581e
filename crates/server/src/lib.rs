//! The binary wright: configuration, wiring, command line.

pub mod embedded;
pub mod pack_files;
pub mod replay;
