//! The laws of the engine, over a pure desk: definitions from text, decisions folded as they are made.

mod clocks;
mod desk;
mod lifecycle;
mod notices;
mod votes;
