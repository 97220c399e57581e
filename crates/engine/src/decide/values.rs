//! Fields: defaults, `set`, computed fields, decision tables and edits outside forms.

use definition::compile::{Computed, Row, Slot, Table, Transition};
use model::Value;
use model::definition::Hit;
use model::event::{Event, SetBy};
use model::id::{FieldId, PersonId, TeamId};
use model::journal::Decision;
use serde_json::{Map, Value as Json};

use super::{Result, Step};
use crate::rejection::{InputFault, Rejection};

impl Step<'_> {
    /// Gives every field of a new record its default.
    pub(super) fn set_defaults(&mut self) {
        for (id, field) in &self.input.workflow.fields {
            if !field.default.is_null() {
                self.emit(Event::FieldSet {
                    field: id.clone(),
                    value: field.default.clone(),
                    by: SetBy::Default,
                });
            }
        }
    }

    /// Puts a value where it goes, where it differs from what is there.
    pub(super) fn put(
        &mut self,
        slot: &Slot,
        value: Value,
        by: SetBy,
    ) -> std::result::Result<(), String> {
        match slot {
            Slot::Field(field) => {
                if *self.record.field(field.as_str()) != value || by == SetBy::Override {
                    self.emit(Event::FieldSet {
                        field: field.clone(),
                        value,
                        by,
                    });
                }
                Ok(())
            }
            Slot::Assignee => {
                let assignee = parse(&value, |text| {
                    PersonId::new(text).map_err(|error| error.to_string())
                })?;
                self.assign(self.record.team.clone(), assignee, by);
                Ok(())
            }
            Slot::Team => {
                let team = parse(&value, |text| {
                    TeamId::new(text).map_err(|error| error.to_string())
                })?;
                if let Some(team) = &team
                    && !self.input.definitions.teams.contains_key(team)
                {
                    return Err(format!("there is no team `{team}`"));
                }
                let assignee = if team == self.record.team {
                    self.record.assignee.clone()
                } else {
                    None
                };
                self.assign(team, assignee, by);
                Ok(())
            }
            Slot::Requester => {
                let requester = parse(&value, |text| {
                    PersonId::new(text).map_err(|error| error.to_string())
                })?;
                if requester != self.record.requester {
                    self.emit(Event::RequesterSet { requester });
                    self.look_at_entitlement();
                }
                Ok(())
            }
        }
    }

    fn assign(&mut self, team: Option<TeamId>, assignee: Option<PersonId>, by: SetBy) {
        if team != self.record.team || assignee != self.record.assignee {
            let reason = match by {
                SetBy::Form | SetBy::Edit | SetBy::Override => format!("by {}", self.actor().id()),
                _ => "by the transition".to_owned(),
            };
            self.emit(Event::Assigned {
                team,
                assignee,
                reason,
            });
        }
    }

    /// Sets what the transition sets.
    pub(super) fn set(&mut self, transition: &Transition) {
        let (teams, others): (Vec<_>, Vec<_>) = transition
            .set
            .iter()
            .partition(|(slot, _)| *slot == Slot::Team);
        for (slot, computed) in teams.into_iter().chain(others) {
            let place = || format!("transition {}, set", transition.id);
            let Some(value) = self.compute(slot, computed, place) else {
                continue;
            };
            if let Err(message) = self.put(slot, value, SetBy::Set) {
                self.failed(place(), message);
            }
        }
    }

    /// What a setting gives; none where it fails, and the journal says so.
    fn compute(
        &mut self,
        slot: &Slot,
        computed: &Computed,
        place: impl Fn() -> String,
    ) -> Option<Value> {
        match computed {
            Computed::Literal(value) => Some(value.clone()),
            Computed::Expression(expression) => {
                let term = self.evaluate(expression, &place)?;
                let value = match slot {
                    Slot::Field(field) => {
                        let json = term.to_json();
                        self.input.workflow.fields.get(field)?.accept(&json)
                    }
                    _ => match term.to_json() {
                        Json::Null => Ok(Value::Null),
                        Json::String(text) => Ok(Value::Text(text)),
                        other => Err(format!("`{other}` names nobody")),
                    },
                };
                value.map_err(|message| self.failed(place(), message)).ok()
            }
        }
    }

    /// Computed fields, then tables, then the computed fields that read what tables gave.
    pub(super) fn decide_fields(&mut self) {
        self.compute_fields();
        for table in self.input.workflow.tables.values() {
            if table.reads_beyond_fields
                || table.reads.iter().any(|field| self.changed.contains(field))
            {
                self.ask_table(table);
            }
        }
        self.compute_fields();
        self.changed.clear();
    }

    fn compute_fields(&mut self) {
        let workflow = self.input.workflow;
        for id in &workflow.computed {
            let Some(expression) = workflow
                .fields
                .get(id)
                .and_then(|field| field.value.as_ref())
            else {
                continue;
            };
            let slot = Slot::Field(id.clone());
            let computed = Computed::Expression(expression.clone());
            let value = self
                .compute(&slot, &computed, || format!("field {id}"))
                .unwrap_or_default();
            // A field always accepts what it accepted before, so that only its own fault leaves it unset.
            if let Err(message) = self.put(&slot, value, SetBy::Value) {
                self.failed(format!("field {id}"), message);
            }
        }
    }

    /// The rows that answer give their values; what was overridden stays.
    fn ask_table(&mut self, table: &Table) {
        let answered = self.rows_that_answer(table);
        for field in &table.gives {
            if self.record.overridden.contains(field)
                || !self.input.workflow.fields.contains_key(field)
            {
                continue;
            }
            let slot = Slot::Field(field.clone());
            let place = || format!("table {}, field {field}", table.id);
            let mut given: Vec<Value> = Vec::new();
            for row in &answered {
                let of_row = row.then.iter().find(|(id, _)| id == field);
                let value = of_row.and_then(|(_, computed)| self.compute(&slot, computed, place));
                given.extend(value);
            }
            let value = match table.hit {
                Hit::Collect => Some(collected(given)),
                Hit::First | Hit::Unique => given.pop(),
            };
            if let Some(value) = value
                && let Err(message) = self.put(&slot, value, SetBy::Table)
            {
                self.failed(place(), message);
            }
        }
    }

    /// The rows of a table that answer, as it is hit; which they were is journaled.
    fn rows_that_answer<'t>(&mut self, table: &'t Table) -> Vec<&'t Row> {
        let mut answered: Vec<&Row> = Vec::new();
        for row in &table.rows {
            if self.holds(&row.when, || format!("table {}, row {}", table.id, row.id)) {
                answered.push(row);
                if table.hit == Hit::First {
                    break;
                }
            }
        }
        if table.hit == Hit::Unique && answered.len() > 1 {
            let rows: Vec<String> = answered.iter().map(|row| row.id.to_string()).collect();
            let message = format!("only one row may hold, and these do: {}", rows.join(", "));
            self.failed(format!("table {}", table.id), message);
            answered.clear();
        }
        let mut rows = answered.iter().map(|row| row.id.clone());
        self.decisions.push(Decision::Table {
            table: table.id.clone(),
            row: rows.next(),
            more: rows.collect(),
        });
        answered
    }

    /// What a table gives for something that is no field, such as `team`.
    pub(super) fn table_gives(&mut self, table: &Table, what: &str) -> Option<Value> {
        let answered = self.rows_that_answer(table);
        let row = answered.first()?;
        let (_, computed) = row.then.iter().find(|(id, _)| id.as_str() == what)?;
        self.compute(&Slot::Team, computed, || format!("table {}", table.id))
    }

    /// Changes fields outside forms, all or none.
    pub(super) fn update(&mut self, fields: &Map<String, Json>) -> Result<()> {
        let mut faults = Vec::new();
        let mut accepted = Vec::new();
        for (name, json) in fields {
            match self.accept_edit(name, json)? {
                Ok(change) => accepted.push((name, change)),
                Err(message) => faults.push(InputFault::of(name, message)),
            }
        }
        // A team takes its assignee along, so that it comes first.
        accepted.sort_by_key(|(_, (slot, ..))| !matches!(slot, Slot::Team));
        for (name, (slot, value, by)) in accepted {
            if let (SetBy::Override, Slot::Field(field), true) = (by, &slot, value.is_null()) {
                self.clear_override(field);
            } else if let Err(message) = self.put(&slot, value, by) {
                faults.push(InputFault::of(name, message));
            }
        }
        let named: Vec<_> = fields.keys().filter_map(|name| name.parse().ok()).collect();
        faults.extend(self.window_fault(&named));
        if !faults.is_empty() {
            return Err(Rejection::Invalid { faults }.into());
        }
        self.decide_fields();
        Ok(())
    }

    fn clear_override(&mut self, field: &FieldId) {
        if self.record.overridden.contains(field) {
            self.emit(Event::OverrideCleared {
                field: field.clone(),
            });
            let table = self
                .input
                .workflow
                .fields
                .get(field)
                .and_then(|field| field.decided_by.as_ref());
            let reads = table
                .and_then(|table| self.input.workflow.tables.get(table))
                .map(|table| table.reads.clone());
            self.changed.extend(reads.unwrap_or_default());
        }
    }

    /// Where an edit goes, and by what right; the inner error is a fault of the value.
    fn accept_edit(
        &mut self,
        name: &str,
        json: &Json,
    ) -> Result<std::result::Result<(Slot, Value, SetBy), String>> {
        let workflow = self.input.workflow;
        let own = match name {
            "assignee" => Some(Slot::Assignee),
            "team" => Some(Slot::Team),
            "requester" => Some(Slot::Requester),
            _ => None,
        };
        if let Some(slot) = own {
            if !self.may(&workflow.edit) {
                return Err(self
                    .forbidden(&format!("change `{name}`"), "a right to edit")
                    .into());
            }
            return Ok(match json {
                Json::Null => Ok((slot, Value::Null, SetBy::Edit)),
                Json::String(text) => Ok((slot, Value::Text(text.clone()), SetBy::Edit)),
                _ => Err("it is text, or null".to_owned()),
            });
        }
        let Some(field) = workflow.fields.get(name) else {
            return Ok(Err(format!("{} has no such field", workflow.id)));
        };
        if field.value.is_some() {
            return Ok(Err("it is computed, and not set by hand".to_owned()));
        }
        let (allowed, by, right) = if field.decided_by.is_some() {
            (
                self.may(&field.overridden_by),
                SetBy::Override,
                "a right to override its table",
            )
        } else {
            let permits = field.edit.as_ref().unwrap_or(&workflow.edit);
            (self.may(permits), SetBy::Edit, "a right to edit it")
        };
        if !allowed {
            return Err(self.forbidden(&format!("change `{name}`"), right).into());
        }
        Ok(field
            .accept(json)
            .map(|value| (Slot::Field(field.id.clone()), value, by)))
    }
}

/// Lists put together, each item once, in the order in which they were given.
fn collected(given: Vec<Value>) -> Value {
    let mut all: Vec<String> = Vec::new();
    for value in given {
        if let Value::Texts(items) = value {
            for item in items {
                if !all.contains(&item) {
                    all.push(item);
                }
            }
        }
    }
    if all.is_empty() {
        Value::Null
    } else {
        Value::Texts(all)
    }
}

fn parse<T>(
    value: &Value,
    id: impl FnOnce(&str) -> std::result::Result<T, String>,
) -> std::result::Result<Option<T>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Text(text) => id(text).map(Some),
        _ => Err("it is text, or null".to_owned()),
    }
}
