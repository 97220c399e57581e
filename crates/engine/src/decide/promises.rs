//! What targets promise: goal and calendar, by definition, by table, or by a plugin whose answer is
//! checked against the desk.

use std::collections::BTreeMap;

use definition::compile::{CalendarChoice, FieldKind, ServiceLevel, Target};
use definition::expression::Term;
use model::Value;
use model::definition::{Goal, Relation};
use model::directory::kind;
use model::hook::{Answer, Ask, GoalAnswer, TargetAnswer};
use model::id::{BindingId, CalendarId, PersonId, TargetId, TeamId};
use model::journal::Decision;
use model::record::{ClockCalendar, ClockGoal};

use super::approval::known_calendar;
use super::{Result, Step};
use crate::clock::length;

/// What a target promises, as it stands now.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Promise {
    pub(super) goal: Option<ClockGoal>,
    pub(super) calendar: Option<ClockCalendar>,
    pub(super) reason: Option<String>,
    pub(super) warn_at_percent: Vec<u32>,
}

impl Step<'_> {
    /// What the targets promise now: by definition, or by a plugin that is asked for all at once.
    pub(super) fn promises(
        &mut self,
        level: &ServiceLevel,
        targets: &[&Target],
    ) -> Result<BTreeMap<TargetId, Promise>> {
        if let Some(only) = &self.only {
            let known = targets.iter().filter(|target| target.id == only.target);
            return Ok(known
                .map(|target| (target.id.clone(), only.promise.clone()))
                .collect());
        }
        let calendar = self.calendar_of(level);
        let mut promises = BTreeMap::new();
        let mut asked: BTreeMap<BindingId, Vec<TargetId>> = BTreeMap::new();
        for target in targets {
            let goal = match &target.goal {
                Goal::Plugin { binding, fallback } => {
                    asked
                        .entry(binding.clone())
                        .or_default()
                        .push(target.id.clone());
                    &**fallback
                }
                goal => goal,
            };
            let promise = self.own_promise(level, goal, calendar.as_ref());
            promises.insert(target.id.clone(), promise);
        }
        for (binding, targets) in asked {
            let named = calendar.as_ref().map(|calendar| calendar.id.clone());
            let Some(named) =
                named.or_else(|| self.input.definitions.calendars.keys().next().cloned())
            else {
                continue;
            };
            let ask = Ask::Targets {
                service_level: level.id.clone(),
                targets: targets.clone(),
                calendar: named,
            };
            let answer = self.ask(&binding, ask, |step, answer| {
                check_targets(step, answer, &targets)
            })?;
            for (target, promise) in answer.unwrap_or_default() {
                promises.insert(target, promise);
            }
        }
        Ok(promises)
    }

    fn own_promise(
        &mut self,
        level: &ServiceLevel,
        goal: &Goal,
        calendar: Option<&ClockCalendar>,
    ) -> Promise {
        let mut reason = None;
        let period = match goal {
            Goal::Business(period) => Some(*period),
            Goal::Time(period) => {
                let goal = Some(ClockGoal::Within(length(None, *period)));
                return Promise {
                    goal,
                    calendar: None,
                    reason,
                    warn_at_percent: Vec::new(),
                };
            }
            Goal::Table(table) => {
                let mut given = None;
                for row in level.tables.get(table).into_iter().flatten() {
                    if self.clock_holds(&row.when, || format!("table {table}, row {}", row.id)) {
                        given = Some(row);
                        break;
                    }
                }
                self.decisions.push(Decision::Table {
                    table: table.clone(),
                    row: given.map(|row| row.id.clone()),
                    more: Vec::new(),
                });
                reason = given.map(|row| format!("the row {} of the table {table}", row.id));
                given.map(|row| row.goal)
            }
            Goal::Plugin { .. } => None,
        };
        let own = calendar
            .and_then(|calendar| self.input.definitions.calendars.get(&calendar.id))
            .map(|pinned| &pinned.calendar);
        let goal = period.map(|period| ClockGoal::Within(length(own, period)));
        Promise {
            goal,
            calendar: calendar.cloned(),
            reason,
            warn_at_percent: Vec::new(),
        }
    }

    fn calendar_of(&mut self, level: &ServiceLevel) -> Option<ClockCalendar> {
        let id = match &level.calendar {
            CalendarChoice::Named(id) => id.clone(),
            CalendarChoice::Expression(expression) => {
                let place = || format!("service level {}, calendar", level.id);
                match expression.evaluate(&self.clock_scope(&self.record)) {
                    Ok(Term::Text(text)) => CalendarId::new(&text).ok()?,
                    Ok(_) => {
                        self.failed(place(), "it gives no calendar".to_owned());
                        return None;
                    }
                    Err(error) => {
                        self.failed(place(), error.to_string());
                        return None;
                    }
                }
            }
            CalendarChoice::Of { of, otherwise } => self
                .calendar_of_thing(level, of)
                .unwrap_or_else(|| otherwise.clone()),
        };
        let Some(pinned) = self.input.definitions.calendars.get(&id) else {
            self.failed(
                format!("service level {}", level.id),
                format!("there is no calendar `{id}`"),
            );
            return None;
        };
        let (digest, own) = (pinned.digest, pinned.calendar.zone());
        let zone = level.zone_of.as_ref();
        let zone = zone.and_then(|of| self.zone_of_thing(level, of));
        let zone = zone.filter(|zone| *zone != own);
        Some(ClockCalendar {
            digest,
            id,
            zone: zone.map(|zone| zone.name().to_owned()),
        })
    }

    /// The calendar that a thing has; none where there is no such thing, or it has none that is known.
    fn calendar_of_thing(&mut self, level: &ServiceLevel, of: &Relation) -> Option<CalendarId> {
        let text = self.attribute(of, "calendar")?;
        let known = CalendarId::new(&text)
            .ok()
            .filter(|id| self.input.definitions.calendars.contains_key(id));
        if known.is_none() {
            let text = super::routing::shown(&text);
            self.failed(
                format!("service level {}, calendar of {of}", level.id),
                format!("there is no calendar `{text}`"),
            );
        }
        known
    }

    fn zone_of_thing(&mut self, level: &ServiceLevel, of: &Relation) -> Option<chrono_tz::Tz> {
        let text = self.attribute(of, "zone")?;
        let known = text.parse().ok();
        if known.is_none() {
            let text = super::routing::shown(&text);
            self.failed(
                format!("service level {}, zone of {of}", level.id),
                format!("`{text}` is not an IANA time zone, such as Europe/Brussels"),
            );
        }
        known
    }

    /// A text that the thing which a relation leads to has under this name.
    fn attribute(&self, relation: &Relation, name: &str) -> Option<String> {
        let (kind, id) = self.first_of(relation)?;
        let (kind, id) = match &relation.attribute {
            None => (kind, id),
            Some(attribute) => {
                let found = self.ledger.thing(&kind, &id)?;
                let id = found.text(attribute)?.to_owned();
                let kind = match attribute.as_str() {
                    "manager" | "owner" => kind::USER.to_owned(),
                    attribute => attribute.replace('_', "-"),
                };
                (kind, id)
            }
        };
        if kind == kind::TEAM
            && name == "calendar"
            && let Ok(team) = TeamId::new(&id)
            && let Some(team) = self.input.definitions.teams.get(&team)
            && let Some(calendar) = &team.calendar
        {
            return Some(calendar.to_string());
        }
        let found = self.ledger.thing(&kind, &id)?;
        found.text(name).map(str::to_owned)
    }

    /// The kind and the id of what a relation begins with.
    fn first_of(&self, relation: &Relation) -> Option<(String, String)> {
        let record = &self.record;
        let person = |id: &PersonId| (kind::USER.to_owned(), id.to_string());
        match relation.first.as_str() {
            "requester" => record.requester.as_ref().map(person),
            "assignee" => record.assignee.as_ref().map(person),
            "team" => {
                let team = record.team.as_ref()?;
                Some((kind::TEAM.to_owned(), team.to_string()))
            }
            field => {
                let known = self.input.workflow.fields.get(field)?;
                match (&known.kind, record.field(field)) {
                    (FieldKind::Reference(kind), Value::Text(id)) => {
                        Some((kind.to_string(), id.clone()))
                    }
                    _ => None,
                }
            }
        }
    }
}

/// Whether the goals fit the desk: for targets that were asked for, in calendars that exist.
fn check_targets(
    step: &Step<'_>,
    answer: &Answer,
    asked: &[TargetId],
) -> std::result::Result<BTreeMap<TargetId, Promise>, String> {
    let Answer::Targets(answers) = answer else {
        return Err("it answered something other than targets".to_owned());
    };
    answers
        .iter()
        .map(|answer| check_target(step, answer, asked))
        .collect()
}

fn check_target(
    step: &Step<'_>,
    answer: &TargetAnswer,
    asked: &[TargetId],
) -> std::result::Result<(TargetId, Promise), String> {
    let target = asked
        .iter()
        .find(|target| target.as_str() == answer.target)
        .ok_or_else(|| {
            format!(
                "it answered for `{}`, which was not asked",
                super::routing::shown(&answer.target)
            )
        })?;
    if answer.warn_at_percent.len() > 20
        || answer
            .warn_at_percent
            .iter()
            .any(|percent| !(1..=99).contains(percent))
    {
        return Err(format!(
            "the warnings of {target} are not percentages from 1 to 99"
        ));
    }
    let (goal, calendar) = match &answer.goal {
        GoalAnswer::DueAt(at) => (ClockGoal::DueAt(*at), None),
        GoalAnswer::Within(limit) => {
            let calendar = limit
                .calendar
                .as_ref()
                .map(|id| known_calendar(step, id))
                .transpose()?;
            let pinned = calendar.and_then(|id| {
                let digest = step.input.definitions.calendars.get(&id)?.digest;
                Some(ClockCalendar {
                    id,
                    digest,
                    zone: None,
                })
            });
            (ClockGoal::Within(limit.duration), pinned)
        }
    };
    let promise = Promise {
        goal: Some(goal),
        calendar,
        reason: Some(answer.reason.chars().take(2_000).collect()),
        warn_at_percent: answer.warn_at_percent.clone(),
    };
    Ok((target.clone(), promise))
}
