//! What a component asks the server for.

use std::time::Duration;

use super::bindings::shared::servicewright::plugin as wire;
use super::convert::{error, fields, fields_out, instant, millis, record};
use crate::directory::{Member, Person};
use crate::log::Level;
use crate::{Fields, Instant, Record, Result};

#[cfg(feature = "http")]
pub(crate) use super::outgoing::send;

pub(crate) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Debug => wire::log::Level::Debug,
        Level::Info => wire::log::Level::Info,
        Level::Warn => wire::log::Level::Warn,
        Level::Error => wire::log::Level::Error,
    };
    wire::log::write(level, message);
}

pub(crate) fn business_add(calendar: &str, start: Instant, duration: Duration) -> Result<Instant> {
    wire::business_time::add(calendar, start.millis(), millis(duration))
        .map(instant)
        .map_err(error)
}

pub(crate) fn business_between(calendar: &str, start: Instant, end: Instant) -> Result<Duration> {
    wire::business_time::between(calendar, start.millis(), end.millis())
        .map(Duration::from_millis)
        .map_err(error)
}

pub(crate) fn user(id: &str) -> Result<Option<Person>> {
    let found = wire::directory::user(id).map_err(error)?;
    Ok(found.map(|person| Person {
        id: person.id,
        name: person.name,
        manager: person.manager,
        organisation: person.organisation,
        facts: fields(person.facts),
    }))
}

pub(crate) fn teams() -> Result<Vec<String>> {
    wire::directory::teams().map_err(error)
}

pub(crate) fn members(team: &str) -> Result<Vec<Member>> {
    let members = wire::directory::members(team).map_err(error)?;
    let member = |member: wire::directory::Member| Member {
        user: member.user,
        skills: member.skills,
        on_shift: member.on_shift,
        open_records: member.open_records,
        last_assigned_at: member.last_assigned_at.map(instant),
        facts: fields(member.facts),
    };
    Ok(members.into_iter().map(member).collect())
}

pub(crate) fn find(kind: &str, id: &str) -> Result<Option<Fields>> {
    let found = wire::directory::find(kind, id).map_err(error)?;
    Ok(found.map(fields))
}

pub(crate) fn linked(id: &str, kind: &str) -> Result<Vec<Record>> {
    let records = wire::directory::linked(id, kind).map_err(error)?;
    Ok(records.into_iter().map(record).collect())
}

pub(crate) fn alike(workflow: &str, fields: Fields, since: Instant) -> Result<Vec<Record>> {
    let fields = fields_out(fields);
    let records = wire::directory::alike(workflow, &fields, since.millis()).map_err(error)?;
    Ok(records.into_iter().map(record).collect())
}

pub(crate) fn referenced(reference: &str) -> Result<Option<Record>> {
    let found = wire::directory::referenced(reference).map_err(error)?;
    Ok(found.map(record))
}

pub(crate) fn kv_get(key: &str) -> Result<Option<Vec<u8>>> {
    wire::key_value::get(key).map_err(error)
}

pub(crate) fn kv_compare_and_set(
    key: &str,
    expected: Option<&[u8]>,
    value: Option<&[u8]>,
) -> Result<bool> {
    wire::key_value::compare_and_set(key, expected, value).map_err(error)
}

pub(crate) fn kv_keys(prefix: &str, after: Option<&str>) -> Result<Vec<String>> {
    wire::key_value::keys(prefix, after).map_err(error)
}

pub(crate) fn hmac_sha256(secret: &str, message: &[u8]) -> Result<Vec<u8>> {
    wire::signing::hmac_sha256(secret, message).map_err(error)
}

pub(crate) fn verify_hmac_sha256(secret: &str, message: &[u8], signature: &[u8]) -> Result<bool> {
    wire::signing::verify_hmac_sha256(secret, message, signature).map_err(error)
}

pub(crate) fn is_secret(secret: &str, candidate: &[u8]) -> Result<bool> {
    wire::signing::is_secret(secret, candidate).map_err(error)
}
