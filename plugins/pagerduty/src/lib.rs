//! Joins the desk to PagerDuty: records call out who is on call, and what is done in PagerDuty comes
//! back to them.
//!
//! Events go out by the Events API v2, under one deduplication key a record; what happens to incidents
//! comes in by webhooks v3. What this binding did itself goes no second time round.

mod deliver;
mod incident;
mod receive;
mod settings;
mod signature;

/// The `delivery` and the `webhook` hook.
pub struct PagerDuty;

servicewright_sdk::export_delivery!(PagerDuty);
servicewright_sdk::export_webhook!(PagerDuty);

/// The text, no longer than this many characters; where it was cut, it says so.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept = text.chars().take(most.saturating_sub(1));
    kept.chain(std::iter::once('…')).collect()
}

#[cfg(test)]
mod tests;
