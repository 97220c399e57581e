//! Turns the alerts of a Prometheus Alertmanager into records: one a group, told of what changes, and
//! resolved when nothing of it fires any more.
//!
//! Alertmanager repeats itself by design: it sends a whole group again whenever something in it changed,
//! whenever nobody answered, and now and then in any case. Each request is therefore compared with what
//! the group was told as before ([`memory`]) and with the record as it stands, so that only news does
//! anything.

mod authentication;
mod group;
mod memory;
mod notification;
mod receive;
mod settings;
mod words;

/// The `webhook` hook.
pub struct Alertmanager;

servicewright_sdk::export_webhook!(Alertmanager);

#[cfg(test)]
mod tests;
