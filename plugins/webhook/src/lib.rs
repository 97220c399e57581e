//! Joins the desk to any system that speaks HTTP and JSON, both ways, each side sure of the other.
//!
//! Events go out as signed `CloudEvents`; signed requests come in and become commands. Records are
//! named by references of the outside world, and deliveries by their ids, so that whatever is sent
//! twice changes nothing the second time.

mod body;
mod deliver;
mod receive;
mod settings;
mod signature;

/// The `delivery` and the `webhook` hook.
pub struct Webhook;

servicewright_sdk::export_delivery!(Webhook);
servicewright_sdk::export_webhook!(Webhook);

#[cfg(test)]
mod tests;
