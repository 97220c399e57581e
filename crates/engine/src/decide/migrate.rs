//! Moving a record to another version of its workflow: what becomes of its state and fields, of the
//! agreement or the tasks that it waits for, of its timers and clocks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use definition::compile::{Computed, Migration, State, Workflow};
use definition::expression::Term;
use model::command::{Migrate, Who};
use model::definition::MigratedClocks;
use model::event::{Event, SetBy};
use model::id::{FieldId, StateId, TimerId};
use model::record::TaskStatus;
use model::{Digest, Value};

use super::{Interrupt, Result, Step};
use crate::rejection::Rejection;

/// What a record comes to, and why it cannot, where it cannot.
#[derive(Default)]
struct Plan {
    /// What fields are given; null where they are let go.
    fields: BTreeMap<FieldId, Value>,
    obstacles: Vec<String>,
}

impl<'a> Step<'a> {
    /// Moves the record to the version of its workflow that is in force; nothing where it is there.
    pub(super) fn migrate(&mut self, migrate: &Migrate) -> Result<()> {
        if matches!(self.actor().who, Who::Person(_) | Who::Binding(_)) {
            let refused = self.forbidden("move records to another version", "the operator");
            return Err(refused.into());
        }
        if self.record.definition == migrate.to {
            return Err(Interrupt::Nothing);
        }
        let target = self.version_in_force()?;
        if target.digest != migrate.to {
            let message = "another version has come in force meanwhile";
            return Err(Rejection::not_possible(message).into());
        }
        let migration = self.input.definitions.migrations.get(&self.record.workflow);
        let migration = migration
            .map(Arc::as_ref)
            .filter(|_| migrate.back.is_none());
        let mut plan = Plan::default();
        let entered = self.migrated_state(target, migration, migrate, &mut plan);
        self.migrated_fields(target, migration, migrate, &mut plan);
        let Some(entered) = entered.filter(|_| plan.obstacles.is_empty()) else {
            return Err(Rejection::not_possible(plan.obstacles.join("; ")).into());
        };
        self.check_open_work(entered)?;
        let left = self.input.workflow.states.get(&self.record.state);
        self.move_to(
            target,
            entered,
            migration.map(|migration| migration.digest),
            plan,
        );
        let clocks = migrate
            .clocks
            .or_else(|| migration.map(|migration| migration.clocks));
        self.settle_in(target, left, entered)?;
        if clocks == Some(MigratedClocks::Recompute) {
            self.recompute_clocks()?;
        }
        Ok(())
    }

    /// The version of the record's workflow in force, that of its catalogue item where it is of one.
    fn version_in_force(&self) -> Result<&'a Workflow> {
        let (workflow, item) = (&self.record.workflow, self.record.item.as_ref());
        let in_force = self.input.definitions.in_force(workflow, item);
        let gone = || {
            Rejection::not_possible(match item {
                Some(item) => format!("there is no catalogue item `{item}`"),
                None => format!("there is no workflow `{workflow}`"),
            })
        };
        Ok(in_force.ok_or_else(gone)?)
    }

    /// The state that the record comes to: as it is declared, back where it came from, or the same.
    fn migrated_state(
        &mut self,
        target: &'a Workflow,
        migration: Option<&Migration>,
        migrate: &Migrate,
        plan: &mut Plan,
    ) -> Option<&'a State> {
        let state = self.record.state.clone();
        let came = migrate.back.as_ref().filter(|back| back.to == state);
        let declared = migration.and_then(|migration| {
            let mut states = migration.states.iter();
            states.find(|(from, _)| *from == state).map(|(_, to)| to)
        });
        let to = match (came, declared) {
            (Some(back), _) => Ok(back.from.to_string()),
            (None, Some(Computed::Literal(value))) => {
                Ok(value.as_text().unwrap_or_default().to_owned())
            }
            (None, Some(Computed::Expression(expression))) => {
                match expression.evaluate(&self.scope()) {
                    Ok(Term::Text(text)) => Ok(text),
                    Ok(_) => Err("it gives no state".to_owned()),
                    Err(error) => Err(error.to_string()),
                }
            }
            (None, None) => Ok(state.to_string()),
        };
        match to.map(|to| (target.states.get(to.as_str()), to)) {
            Ok((Some(found), _)) => return Some(found),
            Ok((None, to)) if to == state.as_str() => plan.obstacles.push(format!(
                "the state `{state}` is not in the present version, and nothing says what it becomes"
            )),
            Ok((None, to)) => plan
                .obstacles
                .push(format!("the state `{to}`, which `{state}` becomes, is not in the present version")),
            Err(why) => plan
                .obstacles
                .push(format!("what `{state}` becomes could not be told: {why}")),
        }
        None
    }

    /// What the fields come to: as it is declared, back as they were, or the same, where the present
    /// version accepts that.
    fn migrated_fields(
        &mut self,
        target: &Workflow,
        migration: Option<&Migration>,
        migrate: &Migrate,
        plan: &mut Plan,
    ) {
        let mut carried: BTreeSet<FieldId> = BTreeSet::new();
        if let Some(migration) = migration {
            carried.extend(migration.drops.iter().cloned());
            for (id, computed) in &migration.fields {
                self.declared_field(target, id, computed, &mut carried, plan);
            }
        }
        for (id, (before, after)) in migrate.back.iter().flat_map(|back| &back.fields) {
            let unchanged = *self.record.field(id.as_str()) == *after;
            if unchanged && target.fields.contains_key(id) {
                plan.fields.insert(id.clone(), before.clone());
            }
            carried.insert(id.clone());
        }
        for (id, value) in &self.record.fields {
            if plan.fields.contains_key(id) {
                continue;
            }
            match target.fields.get(id) {
                None if carried.contains(id) => {
                    plan.fields.insert(id.clone(), Value::Null);
                }
                None => plan.obstacles.push(format!(
                    "the field `{id}` is not in the present version, and nothing says what becomes of it"
                )),
                // What is computed is computed anew.
                Some(field) if field.source.value.is_some() => {}
                Some(field) => match field.accept(&value.to_json()) {
                    Ok(accepted) if accepted == *value => {}
                    Ok(accepted) => {
                        plan.fields.insert(id.clone(), accepted);
                    }
                    Err(why) => plan.obstacles.push(format!("the field `{id}` {why}")),
                },
            }
        }
        for (id, field) in &target.fields {
            let is_new = !self.input.workflow.fields.contains_key(id);
            if is_new && !field.default.is_null() && !plan.fields.contains_key(id) {
                plan.fields.insert(id.clone(), field.default.clone());
            }
        }
    }

    /// What a field is given by the migration. Where the earlier version has none of the fields that
    /// are read, the migration is of another version, and says nothing of this one.
    fn declared_field(
        &mut self,
        target: &Workflow,
        id: &FieldId,
        computed: &Computed,
        carried: &mut BTreeSet<FieldId>,
        plan: &mut Plan,
    ) {
        let Some(field) = target.fields.get(id) else {
            return;
        };
        let earlier = &self.input.workflow.fields;
        let given = match computed {
            Computed::Literal(_) if earlier.contains_key(id) => return,
            Computed::Literal(value) => Ok(value.clone()),
            Computed::Expression(expression) => {
                let read = expression.references();
                let read: Vec<&FieldId> = earlier
                    .keys()
                    .filter(|field| read.contains(field.as_str()))
                    .collect();
                if read.is_empty() {
                    return;
                }
                carried.extend(read.into_iter().cloned());
                let term = expression.evaluate(&self.scope());
                term.map_err(|error| error.to_string())
                    .and_then(|term| field.take(term))
            }
        };
        match given {
            Ok(value) => {
                plan.fields.insert(id.clone(), value);
            }
            Err(why) => plan
                .obstacles
                .push(format!("what `{id}` becomes could not be told: {why}")),
        }
    }

    /// What the record waits for must be there in the state that it comes to.
    fn check_open_work(&self, entered: &State) -> Result<()> {
        let refuse = |what: String| Err(Interrupt::Reject(Rejection::not_possible(what)));
        let open = self.record.approval.iter();
        for (by, stage) in open.flat_map(|it| it.stages.iter().map(|stage| (&it.by, stage))) {
            let stages = entered.approval.as_ref().map(|approval| &approval.stages);
            let known = stages.is_some_and(|stages| stages.contains_key(&stage.plan.id));
            let asked_there = known || (by.is_some() && stages.is_some());
            if !asked_there {
                return refuse(format!(
                    "the votes of the stage `{}` are open, which `{}` does not have",
                    stage.plan.id, entered.id
                ));
            }
        }
        let open = self
            .record
            .tasks
            .iter()
            .filter(|(_, task)| matches!(task.status, TaskStatus::Waiting | TaskStatus::Open));
        let in_state = |id: &StateId| {
            let own = self.input.workflow.states.get(id);
            own.is_some_and(|state| state.tasks.is_some())
        };
        if !in_state(&self.record.state) {
            return Ok(());
        }
        for (id, _) in open {
            let known = entered
                .tasks
                .as_ref()
                .is_some_and(|tasks| tasks.each.contains_key(id));
            if !known {
                return refuse(format!(
                    "the task `{id}` is open, which `{}` does not have",
                    entered.id
                ));
            }
        }
        Ok(())
    }

    fn move_to(
        &mut self,
        target: &'a Workflow,
        entered: &State,
        migration: Option<Digest>,
        plan: Plan,
    ) {
        let (from, left) = (self.record.definition, self.record.state.clone());
        self.emit(Event::Migrated {
            from,
            to: target.digest,
            migration,
            left,
            entered: entered.id.clone(),
            category: entered.category,
            outcome: entered.outcome.clone(),
        });
        for (field, value) in plan.fields {
            if *self.record.field(field.as_str()) != value {
                let by = SetBy::Migration;
                self.emit(Event::FieldSet { field, value, by });
            }
        }
    }

    /// Brings the record up in its new version: new fields are decided, its timers are those of the state
    /// that it is in, and an agreement or tasks that the state asks for are asked for.
    fn settle_in(
        &mut self,
        target: &'a Workflow,
        left: Option<&State>,
        entered: &'a State,
    ) -> Result<()> {
        let earlier = std::mem::replace(&mut self.input.workflow, target);
        let asked_before = |table: &definition::compile::Table| {
            table
                .gives
                .iter()
                .all(|field| earlier.fields.contains_key(field))
        };
        for table in target.tables.values().filter(|table| !asked_before(table)) {
            self.changed.extend(table.reads.iter().cloned());
        }
        self.decide_fields();
        self.change_timers(earlier, target, left, entered);
        let had_tasks = left.is_some_and(|state| state.tasks.is_some());
        if entered.tasks.is_some() && !had_tasks {
            self.hand_out_tasks();
        }
        if entered.approval.is_some() && self.record.approval.is_none() {
            self.open_approval("migrate")?;
        }
        Ok(())
    }

    /// Drops the timers that are no more, and sets those that are new; the others run on.
    fn change_timers(
        &mut self,
        earlier: &Workflow,
        target: &'a Workflow,
        left: Option<&State>,
        entered: &'a State,
    ) {
        let known_now =
            |id: &TimerId| entered.timers.contains_key(id) || target.timers.contains_key(id);
        let gone: Vec<TimerId> = self
            .record
            .timers
            .keys()
            .filter(|id| !known_now(id))
            .cloned()
            .collect();
        for timer in gone {
            self.emit(Event::TimerCleared { timer });
        }
        let known_then = |id: &TimerId| {
            left.is_some_and(|state| state.timers.contains_key(id))
                || earlier.timers.contains_key(id)
        };
        let now = entered.timers.values().chain(target.timers.values());
        for timer in now.filter(|timer| !known_then(&timer.id)) {
            self.look_at_timer(timer, true);
        }
    }
}
