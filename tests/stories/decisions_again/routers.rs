//! One router in three languages: the same logic word for word, which uses everything that a pure hook
//! is given; with `records` it looks at other records too.

/// The manifest of each.
pub(super) const MANIFEST: &str = "version: 0.1.0
title: Rota
hooks: { routing: true }
capabilities: { directory: { team: true, record: true } }
";

/// The schema of their settings.
pub(super) const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "required": ["team", "skill", "calendar", "hours", "records"],
  "properties": {
    "team": { "type": "string" },
    "skill": { "type": "string" },
    "calendar": { "type": "string" },
    "hours": { "type": "integer", "minimum": 1 },
    "records": { "type": "boolean" }
  }
}
"#;

pub(super) const RUST: &str = r#"//! Gives work to one of those who have the least to do.

use std::time::Duration;

use serde::Deserialize;
use servicewright_sdk::routing::{self, Assignment, Call, Record, Routing};
use servicewright_sdk::{business_time, directory};

#[derive(Deserialize)]
struct Settings {
    team: String,
    skill: String,
    calendar: String,
    hours: u64,
    records: bool,
}

struct Router;

servicewright_sdk::export_routing!(Router);

impl Routing for Router {
    fn route(call: &Call, record: &Record) -> routing::Result<Assignment> {
        let settings: Settings = call.settings()?;
        let summary: &str = record.field("summary")?;
        let weight: &str = record.field("weight")?;
        let mut members = directory::members(&settings.team)?;
        members.retain(|member| {
            member.on_shift && (weight != "heavy" || member.skills.contains(&settings.skill))
        });
        let least = members.iter().map(|member| member.open_records).min();
        members.retain(|member| Some(member.open_records) == least);
        let due = business_time::add(
            &settings.calendar,
            call.now,
            Duration::from_secs(settings.hours * 3600),
        )?;
        let worked = business_time::between(&settings.calendar, call.now, due)?;
        let chance = call.seed % 1000;
        let told = format!(
            "{} letters, due {}, {} ms, chance {chance}",
            summary.len(),
            due.millis(),
            worked.as_millis(),
        );
        let told = if settings.records {
            let since = call.now - Duration::from_secs(3600);
            let alike = directory::alike(&record.workflow, [("weight", weight)], since)?;
            let linked = match &record.id {
                Some(id) => directory::linked(id, "related")?,
                None => Vec::new(),
            };
            let first = alike.first().and_then(|record| record.id.as_deref());
            let state = linked.first().map(|record| record.state.as_str());
            format!(
                "{told}, {} alike, {} first, {} linked, {}",
                alike.len(),
                first.unwrap_or("none"),
                linked.len(),
                state.unwrap_or("none"),
            )
        } else {
            told
        };
        if members.is_empty() {
            let reason = format!("nobody: {told}");
            return Ok(Assignment { team: settings.team, assignee: None, reason });
        }
        let chosen = members.swap_remove(chance as usize % members.len());
        let last = chosen.last_assigned_at.map_or(0, |at| at.millis());
        let reason = format!("{} open, last {last}: {told}", chosen.open_records);
        Ok(Assignment { team: settings.team, assignee: Some(chosen.user), reason })
    }
}
"#;

pub(super) const JAVASCRIPT: &str = r#"// Gives work to one of those who have the least to do.

import { businessTime, directory, routing } from "@servicewright/sdk";

export const route = routing((call, record) => {
  const { team, skill, calendar, hours, records } = call.settings;
  const { summary, weight } = record.fields;
  let members = directory.members(team);
  members = members.filter((it) => it.onShift && (weight !== "heavy" || it.skills.includes(skill)));
  const least = Math.min(...members.map((it) => it.openRecords));
  members = members.filter((it) => it.openRecords === least);
  const due = businessTime.add(calendar, call.now, hours * 3600 * 1000);
  const worked = businessTime.between(calendar, call.now, due);
  const chance = Number(call.seed % 1000n);
  let told = `${summary.length} letters, due ${due.getTime()}, ${worked} ms, chance ${chance}`;
  if (records) {
    const alike = directory.alike(record.workflow, { weight }, new Date(call.now.getTime() - 3600_000));
    const linked = record.id === null ? [] : directory.linked(record.id, "related");
    const [first, state] = [alike[0]?.id ?? "none", linked[0]?.state ?? "none"];
    told += `, ${alike.length} alike, ${first} first, ${linked.length} linked, ${state}`;
  }
  if (members.length === 0) {
    return { team, reason: `nobody: ${told}` };
  }
  const chosen = members[chance % members.length];
  const last = chosen.lastAssignedAt?.getTime() ?? 0;
  return { team, assignee: chosen.user, reason: `${chosen.openRecords} open, last ${last}: ${told}` };
});
"#;

pub(super) const PYTHON: &str = r#""""Gives work to one of those who have the least to do."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from servicewright_sdk import business_time, directory, routing

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MILLISECOND = timedelta(milliseconds=1)


@dataclass
class Settings:
    team: str
    skill: str
    calendar: str
    hours: int
    records: bool


@routing.hook
def route(call, record):
    settings = call.settings_as(Settings)
    heavy = record.fields["weight"] == "heavy"
    members = [
        member
        for member in directory.members(settings.team)
        if member.on_shift and (not heavy or settings.skill in member.skills)
    ]
    least = min((member.open_records for member in members), default=0)
    members = [member for member in members if member.open_records == least]
    due = business_time.add(settings.calendar, call.now, timedelta(hours=settings.hours))
    worked = business_time.between(settings.calendar, call.now, due) // MILLISECOND
    chance = call.seed % 1000
    letters = len(record.fields["summary"])
    millis = (due - EPOCH) // MILLISECOND
    told = f"{letters} letters, due {millis}, {worked} ms, chance {chance}"
    if settings.records:
        since = call.now - timedelta(hours=1)
        alike = directory.alike(record.workflow, {"weight": record.fields["weight"]}, since)
        linked = directory.linked(record.id, "related") if record.id else []
        first = alike[0].id if alike else "none"
        state = linked[0].state if linked else "none"
        told += f", {len(alike)} alike, {first} first, {len(linked)} linked, {state}"
    if not members:
        return routing.Assignment(team=settings.team, reason=f"nobody: {told}")
    chosen = members[chance % len(members)]
    last = (chosen.last_assigned_at - EPOCH) // MILLISECOND if chosen.last_assigned_at else 0
    return routing.Assignment(
        team=settings.team,
        assignee=chosen.user,
        reason=f"{chosen.open_records} open, last {last}: {told}",
    )
"#;
