//! What plugins share that tie a record to its counterpart in another system: an issue, or an alert.
//!
//! Each such plugin reads messages of its own kind and speaks an API of its own. What is the same for
//! all is here: how a message becomes fields ([`fields`]) and transitions ([`steps`]), how texts are
//! filled in and cut ([`text`]), what a refusal of an API means ([`answer`]), what becomes of an issue
//! here ([`incoming`]), and what is told there ([`outgoing`]).

pub mod answer;
pub mod fields;
pub mod incoming;
pub mod outgoing;
pub mod steps;
pub mod text;
