//! What stands for the names in the settings' texts, and how alerts read in a comment.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use counterpart::text::clip;

use crate::notification::{Alert, Notification, Pairs};
use crate::settings::Settings;

/// How many alerts are listed by themselves.
const LISTED: usize = 20;
/// How much of a label's or annotation's value is shown in a list, in characters.
const SHOWN: usize = 200;

/// The value of a name such as `labels.severity`, of some alerts of a notification.
pub(crate) fn value(
    settings: &Settings,
    notification: &Notification,
    alerts: &[Alert],
    name: &str,
) -> Option<String> {
    if let Some(label) = name.strip_prefix("labels.") {
        let order = settings.order.get(label).map_or(&[][..], Vec::as_slice);
        return pick(alerts, label, order, |alert| &alert.labels)
            .or_else(|| notification.common_labels.get(label).cloned())
            .or_else(|| notification.group_labels.get(label).cloned());
    }
    if let Some(annotation) = name.strip_prefix("annotations.") {
        return pick(alerts, annotation, &[], |alert| &alert.annotations)
            .or_else(|| notification.common_annotations.get(annotation).cloned());
    }
    Some(match name {
        "alerts" => list(alerts),
        "status" => {
            let is_firing = alerts.iter().any(Alert::is_firing);
            if is_firing { "firing" } else { "resolved" }.to_owned()
        }
        "count" => alerts.iter().filter(|a| a.is_firing()).count().to_string(),
        "receiver" => notification.receiver.clone(),
        "url" => notification.external_url.clone(),
        _ => return None,
    })
}

/// Of the alerts' values, firing ones first: the one that counts most, or else the first.
fn pick(
    alerts: &[Alert],
    name: &str,
    order: &[String],
    pairs: impl Fn(&Alert) -> &Pairs,
) -> Option<String> {
    let firing = alerts.iter().filter(|alert| alert.is_firing());
    let resolved = alerts.iter().filter(|alert| !alert.is_firing());
    let values: Vec<&String> = match firing.clone().next() {
        Some(_) => firing.filter_map(|alert| pairs(alert).get(name)).collect(),
        None => resolved.filter_map(|a| pairs(a).get(name)).collect(),
    };
    let counts_most = order.iter().find(|value| values.contains(value));
    counts_most.or_else(|| values.first().copied()).cloned()
}

/// The alerts as lines, those that fire first.
pub(crate) fn list(alerts: &[Alert]) -> String {
    let mut sorted: Vec<&Alert> = alerts.iter().collect();
    sorted.sort_by_key(|alert| !alert.is_firing());
    let mut lines = String::new();
    for alert in sorted.iter().take(LISTED) {
        line(&mut lines, alert);
    }
    if sorted.len() > LISTED {
        // Writing to a text does not fail.
        let _ = writeln!(lines, "- and {} more", sorted.len() - LISTED);
    }
    lines.trim_end().to_owned()
}

fn line(lines: &mut String, alert: &Alert) {
    let status = if alert.is_firing() {
        "Firing"
    } else {
        "Resolved"
    };
    let said = alert
        .annotations
        .get("summary")
        .or_else(|| alert.labels.get("alertname"))
        .map_or("", String::as_str);
    let _ = write!(lines, "- {status}: {}", clip(said, SHOWN));
    let _ = write!(lines, " ({})", labels(&alert.labels));
    if alert.is_firing() {
        let _ = write!(lines, ", since {}", alert.starts_at);
        if !alert.generator_url.is_empty() {
            let _ = write!(lines, ", {}", clip(&alert.generator_url, 1_000));
        }
    }
    lines.push('\n');
}

fn labels(labels: &BTreeMap<String, String>) -> String {
    let shown = labels
        .iter()
        .take(LISTED)
        .map(|(name, value)| format!("{name}={}", clip(value, SHOWN)));
    shown.collect::<Vec<_>>().join(", ")
}

/// What is said of a record whose group has news: these alerts, out of all.
pub(crate) fn news(news: &[Alert], all: &[Alert], truncated: u64) -> String {
    let firing = all.iter().filter(|alert| alert.is_firing()).count();
    let resolved = all.len() - firing;
    let mut text = format!("Alertmanager: {firing} firing, {resolved} resolved.\n");
    text.push_str(&list(news));
    if truncated > 0 {
        let _ = write!(text, "\n{truncated} more were left out by Alertmanager.");
    }
    text
}
