//! The binary wright: configuration, wiring, command line.

pub mod embedded;
pub mod replay;
