//! Links records with issues on GitHub, both ways: an issue with a label becomes a record, a record
//! becomes an issue, and what is said, closed or opened again on one side is so on the other.
//!
//! An issue is known by `owner/name#12`. What this plugin writes there ends in a mark that is not shown,
//! by which it knows its own texts when GitHub reports them, and finds what an attempt without an answer
//! may have left.

mod api;
mod deliver;
mod issue;
mod payload;
mod receive;
mod settings;

/// The `delivery` and the `webhook` hook.
pub struct GitHub;

servicewright_sdk::export_delivery!(GitHub);
servicewright_sdk::export_webhook!(GitHub);

#[cfg(test)]
mod tests;
