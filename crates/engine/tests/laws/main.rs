//! The laws of the engine, over a pure desk: definitions from text, decisions folded as they are made.

mod catch_up;
mod changes;
mod clocks;
mod delegation;
mod desk;
mod lifecycle;
mod notices;
mod votes;
