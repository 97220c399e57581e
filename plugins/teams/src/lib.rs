//! Tells a channel or chat of Microsoft Teams what happened, as an Adaptive Card.
//!
//! A card goes to the webhook of a workflow, which posts it. Teams takes answers to cards by bots
//! alone: whoever is to decide follows the card's button to the record.

mod card;
mod deliver;
mod settings;
mod text;

/// The `delivery` hook.
pub struct Teams;

servicewright_sdk::export_delivery!(Teams);

#[cfg(test)]
mod tests;
