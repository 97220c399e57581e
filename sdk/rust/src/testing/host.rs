//! What the server's side of a plugin's imports is natively: the [`Desk`] at present.

use std::rc::Rc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Desk, PRESENT};
use crate::directory::{Member, Person};
use crate::log::Level;
use crate::{Error, Fields, Instant, Record, Result};

/// As many as a server lists in one answer.
const LIST_LIMIT: usize = 100;

fn desk() -> Rc<Desk> {
    PRESENT.with_borrow(|present| present.clone().unwrap_or_default())
}

pub(crate) fn log(_level: Level, message: &str) {
    desk().logged.borrow_mut().push(message.to_owned());
}

fn spans(calendar: &str) -> Result<Vec<(Instant, Instant)>> {
    desk()
        .calendars
        .get(calendar)
        .cloned()
        .ok_or_else(|| Error::Misconfigured(format!("there is no calendar `{calendar}`")))
}

pub(crate) fn business_add(calendar: &str, start: Instant, duration: Duration) -> Result<Instant> {
    let mut left = duration;
    for (from, to) in spans(calendar)? {
        let from = from.max(start);
        if to.since(from) >= left && to > from {
            return Ok(from + left);
        }
        left -= to.since(from);
    }
    let message = format!("the calendar `{calendar}` has no business time left");
    Err(Error::InvalidInput(message))
}

pub(crate) fn business_between(calendar: &str, start: Instant, end: Instant) -> Result<Duration> {
    Ok(spans(calendar)?
        .into_iter()
        .map(|(from, to)| to.min(end).since(from.max(start)))
        .sum())
}

// The server's look-ups can all fail, and these have the same shape.
#[expect(clippy::unnecessary_wraps)]
pub(crate) fn user(id: &str) -> Result<Option<Person>> {
    Ok(desk().people.get(id).cloned())
}

#[expect(clippy::unnecessary_wraps)]
pub(crate) fn teams() -> Result<Vec<String>> {
    Ok(desk().teams.keys().cloned().collect())
}

#[expect(clippy::unnecessary_wraps)]
pub(crate) fn members(team: &str) -> Result<Vec<Member>> {
    Ok(desk().teams.get(team).cloned().unwrap_or_default())
}

#[expect(clippy::unnecessary_wraps)]
pub(crate) fn find(kind: &str, id: &str) -> Result<Option<Fields>> {
    let key = (kind.to_owned(), id.to_owned());
    Ok(desk().things.get(&key).cloned())
}

#[expect(clippy::unnecessary_wraps)]
pub(crate) fn linked(id: &str, kind: &str) -> Result<Vec<Record>> {
    let desk = desk();
    let targets = desk.links.get(&(id.to_owned(), kind.to_owned()));
    Ok(desk
        .records
        .iter()
        .filter(|record| {
            targets
                .into_iter()
                .flatten()
                .any(|target| record.id.as_ref() == Some(target))
        })
        .cloned()
        .collect())
}

#[expect(clippy::unnecessary_wraps)]
#[expect(clippy::needless_pass_by_value)]
pub(crate) fn alike(workflow: &str, fields: Fields, since: Instant) -> Result<Vec<Record>> {
    let mut records = desk().records.clone();
    records.retain(|record| {
        record.workflow == workflow
            && record.updated_at >= since
            && fields
                .iter()
                .all(|(id, value)| record.fields.value(id) == value)
    });
    records.sort_by_key(|record| std::cmp::Reverse(record.updated_at));
    records.truncate(LIST_LIMIT);
    Ok(records)
}

#[expect(clippy::unnecessary_wraps)]
pub(crate) fn referenced(reference: &str) -> Result<Option<Record>> {
    let desk = desk();
    let Some(id) = desk.references.get(reference) else {
        return Ok(None);
    };
    let mut records = desk.records.iter();
    Ok(records
        .find(|record| record.id.as_ref() == Some(id))
        .cloned())
}

#[expect(clippy::unnecessary_wraps)]
pub(crate) fn kv_get(key: &str) -> Result<Option<Vec<u8>>> {
    Ok(desk().key_values.borrow().get(key).cloned())
}

#[expect(clippy::unnecessary_wraps)]
pub(crate) fn kv_compare_and_set(
    key: &str,
    expected: Option<&[u8]>,
    value: Option<&[u8]>,
) -> Result<bool> {
    let desk = desk();
    let mut key_values = desk.key_values.borrow_mut();
    if key_values.get(key).map(Vec::as_slice) != expected {
        return Ok(false);
    }
    match value {
        Some(value) => key_values.insert(key.to_owned(), value.to_owned()),
        None => key_values.remove(key),
    };
    Ok(true)
}

#[expect(clippy::unnecessary_wraps)]
pub(crate) fn kv_keys(prefix: &str, after: Option<&str>) -> Result<Vec<String>> {
    Ok(desk()
        .key_values
        .borrow()
        .keys()
        .filter(|key| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after))
        .take(LIST_LIMIT)
        .cloned()
        .collect())
}

fn secret_value(secret: &str) -> Result<Vec<u8>> {
    let value = desk().secrets.get(secret).cloned();
    value.ok_or_else(|| Error::Misconfigured(format!("the secret `{secret}` was not granted")))
}

fn keyed(secret: &str, message: &[u8]) -> Result<Hmac<Sha256>> {
    let mut hmac = Hmac::new_from_slice(&secret_value(secret)?)?;
    hmac.update(message);
    Ok(hmac)
}

pub(crate) fn hmac_sha256(secret: &str, message: &[u8]) -> Result<Vec<u8>> {
    Ok(keyed(secret, message)?.finalize().into_bytes().to_vec())
}

pub(crate) fn verify_hmac_sha256(secret: &str, message: &[u8], signature: &[u8]) -> Result<bool> {
    Ok(keyed(secret, message)?.verify_slice(signature).is_ok())
}

pub(crate) fn is_secret(secret: &str, candidate: &[u8]) -> Result<bool> {
    let value = secret_value(secret)?;
    Ok(!value.is_empty() && value == candidate)
}

#[cfg(feature = "http")]
pub(crate) fn send(request: &crate::http::Request) -> Result<crate::http::Response> {
    let desk = desk();
    desk.sent.borrow_mut().push(request.clone());
    match &desk.respond {
        Some(respond) => respond(request),
        None => Err(Error::misconfigured("no host was granted")),
    }
}
