//! Links records with issues on GitLab, both ways: an issue with a label becomes a record, a record
//! becomes an issue, and what is said, closed or opened again on one side is so on the other.
//!
//! An issue is known by `group/name#12`. What this plugin writes there ends in a mark that is not shown,
//! by which it knows its own texts when GitLab reports them, and finds what an attempt without an answer
//! may have left.

mod api;
mod deliver;
mod issue;
mod payload;
mod receive;
mod settings;

/// The `delivery` and the `webhook` hook.
pub struct GitLab;

servicewright_sdk::export_delivery!(GitLab);
servicewright_sdk::export_webhook!(GitLab);

#[cfg(test)]
mod tests;
