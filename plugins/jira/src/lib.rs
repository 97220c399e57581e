//! Keeps records and Jira issues in step, both ways: an issue with a label becomes a record, a record
//! becomes an issue, and what is said or moved on one side is so on the other. What Jira did not report
//! is looked for now and then.
//!
//! An issue is known by its key, such as `OPS-12`. What this plugin writes there is known by a last line
//! ([`text::mark`]), and the issues that it makes by a label.

mod api;
mod catch_up;
mod deliver;
mod known;
mod message;
mod payload;
mod receive;
mod settings;
mod text;

/// The `delivery`, the `webhook` and the `schedule` hook.
pub struct Jira;

servicewright_sdk::export_delivery!(Jira);
servicewright_sdk::export_webhook!(Jira);
servicewright_sdk::export_schedule!(Jira);

#[cfg(test)]
mod tests;
