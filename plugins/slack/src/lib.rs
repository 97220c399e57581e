//! Joins the desk to Slack: each record has one message in a channel, which shows where it stands, and
//! approvers vote by the buttons below it.
//!
//! Messages go by `chat.postMessage` and `chat.update`. A click comes back as a signed request, and
//! becomes the vote of the person who clicked, if the desk knows them and asked them.

mod api;
mod click;
mod deliver;
mod event;
mod memory;
mod message;
mod receive;
mod settings;
mod signature;
mod text;

/// The `delivery` and the `webhook` hook.
pub struct Slack;

servicewright_sdk::export_delivery!(Slack);
servicewright_sdk::export_webhook!(Slack);

#[cfg(test)]
mod tests;
