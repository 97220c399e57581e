//! Service levels: whom they cover, and clocks whose conditions hold for every workflow covered.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use model::Digest;
use model::definition::{self, Cel, Goal, Relation, Setting};
use model::hook::Hook;
use model::id::{
    CalendarId, FieldId, ServiceLevelId, StateId, TableId, TargetId, TransitionId, WorkflowId,
};
use model::time::Period;

use super::compiler::Compiler;
use super::effects::{Around, effects};
use super::fault::{Fault, Spot};
use super::field::FieldKind;
use super::names::Names;
use super::scope;
use super::types::{CalendarChoice, GoalRow, ServiceLevel, Target, Warning, Workflow};
use crate::expression::{Expression, Scope, Type};
use crate::overlay::DefinitionKind;

/// Compiles a version of a service level against the workflows in force. For a version that is not
/// in force any more, of which clocks are left, pass
/// [names for old versions](Names::for_old_versions): what has gone from a workflow since then makes
/// an expression fail when it is evaluated.
///
/// # Errors
/// Everything that is wrong with it, up to a hundred faults.
pub fn service_level<'w>(
    id: &ServiceLevelId,
    digest: Digest,
    zone: chrono_tz::Tz,
    source: &definition::ServiceLevel,
    workflows: impl Fn(&WorkflowId) -> Option<&'w Workflow>,
    names: &Names,
) -> Result<ServiceLevel, Vec<Fault>> {
    let mut compiler = Compiler::new(DefinitionKind::ServiceLevel, id.as_str(), names);
    let covered = covered(&mut compiler, source, workflows);
    let ground = Ground::of(&covered, names);
    let level = assemble(&mut compiler, id, (digest, zone), source, &ground);
    compiler.into_result(level)
}

/// What a table of a service level gives.
const GOAL: &str = "goal";

/// The workflows that a service level covers, or an event filter names, and what may be said of
/// records of all of them.
pub(super) struct Ground<'w> {
    workflows: Vec<&'w Workflow>,
    /// Of each workflow alone, the states of all.
    scopes: Vec<(&'w WorkflowId, Scope)>,
    /// Of all: what differs is of any type.
    merged: Scope,
    /// The same with who acts and when.
    pub(super) full: Scope,
    /// Of records of which nothing is known but the names of their fields.
    loose: Scope,
}

impl<'w> Ground<'w> {
    pub(super) fn of(workflows: &[&'w Workflow], names: &Names) -> Self {
        let states = || {
            let all = workflows.iter().flat_map(|workflow| workflow.states.keys());
            let mut states: Vec<&str> = all.map(StateId::as_str).collect();
            states.sort_unstable();
            states.dedup();
            states
        };
        let scopes = workflows.iter().map(|workflow| {
            let fields = workflow
                .fields
                .values()
                .map(|field| (field.id.as_str(), field.term_type()));
            (&workflow.id, scope::clock(fields, states(), names))
        });
        let mut fields: BTreeMap<&str, Type> = BTreeMap::new();
        for field in workflows
            .iter()
            .flat_map(|workflow| workflow.fields.values())
        {
            let found = field.term_type();
            let kind = fields
                .entry(field.id.as_str())
                .or_insert_with(|| found.clone());
            if *kind != found {
                *kind = Type::Any;
            }
        }
        let any = fields
            .keys()
            .map(|field| (*field, Type::Any))
            .chain([("record", Type::Any)]);
        let merged = scope::clock(fields.clone(), states(), names);
        Self {
            full: scope::with_actor(merged.clone(), names),
            merged,
            scopes: scopes.collect(),
            loose: scope::clock(any, [], names),
            workflows: workflows.to_vec(),
        }
    }

    /// Compiles what is asked of records of every one of the workflows.
    pub(super) fn of_all(
        &self,
        compiler: &mut Compiler<'_>,
        below: &[&str],
        cel: &Cel,
        wanted: &Type,
    ) -> Option<Expression> {
        if compiler.names.lenient {
            let loose = compiler
                .try_cel(cel, &self.merged, wanted)
                .or_else(|_| compiler.try_cel(cel, &self.loose, wanted));
            return loose
                .map_err(|error| compiler.wrong_expression(below, &error))
                .ok();
        }
        for (id, scope) in &self.scopes {
            let Err(error) = compiler.try_cel(cel, scope, wanted) else {
                continue;
            };
            let fault = compiler.expression_fault(below, &error);
            compiler.push(if self.scopes.len() == 1 {
                fault
            } else {
                fault.help(format!("it is asked of records of the workflow `{id}` too"))
            });
            return None;
        }
        compiler.cel(below, cel, &self.merged, wanted)
    }
}

fn covered<'w>(
    compiler: &mut Compiler<'_>,
    source: &definition::ServiceLevel,
    workflows: impl Fn(&WorkflowId) -> Option<&'w Workflow>,
) -> Vec<&'w Workflow> {
    let mut covered = Vec::new();
    for id in source.covers.keys() {
        match workflows(id) {
            Some(workflow) => covered.push(workflow),
            // A workflow that is known but could not be compiled has faults of its own.
            None if compiler.names.lenient || compiler.names.workflows.contains_key(id) => {}
            None => {
                let names = compiler.names;
                let known = names.workflows.keys().map(WorkflowId::as_str);
                compiler.unknown(
                    &["for", id.as_str()],
                    Spot::Key,
                    ("workflow", id.as_str()),
                    known,
                );
            }
        }
    }
    if source.covers.is_empty() {
        compiler.key(
            &["for"],
            "covers-nothing",
            "no record is covered: `for` is empty",
        );
    }
    covered
}

fn assemble(
    compiler: &mut Compiler<'_>,
    id: &ServiceLevelId,
    (digest, zone): (Digest, chrono_tz::Tz),
    source: &definition::ServiceLevel,
    ground: &Ground<'_>,
) -> Option<ServiceLevel> {
    let mut covers = BTreeMap::new();
    for (id, cel) in &source.covers {
        let own = ground.scopes.iter().find(|(known, _)| *known == id);
        let Some((_, scope)) = own else { continue };
        let when = compiler.condition(&["for", id.as_str()], cel, scope);
        covers.extend(when.map(|when| (id.clone(), when)));
    }
    if covers.is_empty() {
        // Nothing can be said of records that there are none of.
        return compiler
            .names
            .lenient
            .then(|| empty(id, digest, zone, source));
    }
    let calendar = calendar(compiler, &source.calendar, ground);
    if let Some(zone) = &source.zone {
        relation(compiler, &["zone"], zone, ground);
    }
    let tables = goal_tables(compiler, source, ground);
    let targets = compiler.within("targets", |compiler| {
        let mut targets = IndexMap::new();
        for (id, target_source) in &source.targets {
            let target = compiler.within(id.as_str(), |compiler| {
                target(compiler, id, target_source, source, ground)
            });
            targets.extend(target.map(|target| (id.clone(), target)));
        }
        targets
    });
    if source.targets.is_empty() {
        compiler.key(
            &["targets"],
            "promises-nothing",
            "a service level promises something: `targets` is empty",
        );
    }
    Some(ServiceLevel {
        covers,
        calendar: calendar?,
        targets,
        tables,
        ..empty(id, digest, zone, source)
    })
}

fn empty(
    id: &ServiceLevelId,
    digest: Digest,
    zone: chrono_tz::Tz,
    source: &definition::ServiceLevel,
) -> ServiceLevel {
    let nowhere = CalendarId::new("none").expect("spelt as calendars are");
    ServiceLevel {
        id: id.clone(),
        digest,
        title: source.title.clone().unwrap_or_else(|| id.to_string()),
        kind: source.kind,
        zone,
        covers: BTreeMap::new(),
        uncovered: source.uncovered,
        zone_of: source.zone.clone(),
        calendar: CalendarChoice::Named(nowhere),
        targets: IndexMap::new(),
        tables: BTreeMap::new(),
    }
}

fn calendar(
    compiler: &mut Compiler<'_>,
    source: &definition::CalendarChoice,
    ground: &Ground<'_>,
) -> Option<CalendarChoice> {
    match source {
        definition::CalendarChoice::Named(id) => {
            compiler.calendar(&["calendar", "named"], id);
            Some(CalendarChoice::Named(id.clone()))
        }
        definition::CalendarChoice::Cel(cel) => {
            let names = compiler.names;
            let wanted = if names.lenient {
                Type::Text
            } else {
                Type::options(names.calendars.iter().map(CalendarId::as_str))
            };
            let expression = ground.of_all(compiler, &["calendar", "cel"], cel, &wanted)?;
            Some(CalendarChoice::Expression(expression))
        }
        definition::CalendarChoice::Of { of, otherwise } => {
            relation(compiler, &["calendar", "of"], of, ground);
            compiler.calendar(&["calendar", "otherwise"], otherwise);
            Some(CalendarChoice::Of {
                of: of.clone(),
                otherwise: otherwise.clone(),
            })
        }
    }
}

/// What of a record leads to a thing, beside the fields that refer to one.
const OF_RECORD: [&str; 3] = ["requester", "assignee", "team"];

/// Holds the beginning of a relation to what every record covered has.
fn relation(compiler: &mut Compiler<'_>, below: &[&str], relation: &Relation, ground: &Ground<'_>) {
    let first = relation.first.as_str();
    if compiler.names.lenient || OF_RECORD.contains(&first) {
        return;
    }
    let refers = |workflow: &Workflow| {
        let field = workflow.fields.get(first);
        field.is_some_and(|field| matches!(field.kind, FieldKind::Reference(_)))
    };
    let Some(without) = ground.workflows.iter().find(|workflow| !refers(workflow)) else {
        return;
    };
    let fields = without.fields.values();
    let known = fields.filter(|field| matches!(field.kind, FieldKind::Reference(_)));
    let known = known.map(|field| field.id.as_str()).chain(OF_RECORD);
    let known: Vec<&str> = known.collect();
    let message = format!(
        "a record of the workflow `{}` leads to no `{first}`: it is `requester`, `assignee`, `team` or a field with `ref`",
        without.id
    );
    let fault = compiler.fault(below, Spot::Value, "unknown-name", message);
    compiler.push(fault.suggest(first, known));
}

/// Compiles the tables, whose rows give a goal each.
fn goal_tables(
    compiler: &mut Compiler<'_>,
    source: &definition::ServiceLevel,
    ground: &Ground<'_>,
) -> BTreeMap<TableId, Vec<GoalRow>> {
    compiler.within("tables", |compiler| {
        let mut tables = BTreeMap::new();
        for (id, table) in &source.tables {
            let rows = compiler.within(id.as_str(), |compiler| goal_rows(compiler, table, ground));
            tables.insert(id.clone(), rows);
        }
        tables
    })
}

fn goal_rows(
    compiler: &mut Compiler<'_>,
    source: &definition::Table,
    ground: &Ground<'_>,
) -> Vec<GoalRow> {
    for given in source.gives.keys().filter(|given| given.as_str() != GOAL) {
        let message = format!("a table of a service level gives `{GOAL}` and nothing else");
        compiler.key(&["gives", given.as_str()], "table", message);
    }
    let mut rows = Vec::new();
    for (id, row) in &source.rows {
        let when = ground.of_all(
            compiler,
            &["rows", id.as_str(), "when"],
            &row.when,
            &Type::Boolean,
        );
        let goal = goal_of_row(compiler, id.as_str(), &row.then);
        rows.extend(when.zip(goal).map(|(when, goal)| GoalRow {
            id: id.clone(),
            when,
            goal,
        }));
    }
    rows
}

fn goal_of_row(
    compiler: &mut Compiler<'_>,
    row: &str,
    then: &IndexMap<FieldId, Setting>,
) -> Option<Period> {
    const WRONG: &str = "a goal is a duration written out, such as PT8H";
    for given in then.keys().filter(|given| given.as_str() != GOAL) {
        let message = format!("a table of a service level gives `{GOAL}` and nothing else");
        compiler.key(&["rows", row, "then", given.as_str()], "table", message);
    }
    let below = ["rows", row, "then", GOAL];
    match then.get(GOAL) {
        Some(Setting::Literal(serde_json::Value::String(text))) => match text.parse::<Period>() {
            Ok(period) => {
                some_time(compiler, &below, period);
                Some(period)
            }
            Err(wrong) => {
                compiler.value(&below, "wrong-value", wrong.to_string());
                None
            }
        },
        Some(_) => {
            compiler.value(&below, "wrong-value", WRONG);
            None
        }
        None => {
            compiler.key(
                &["rows", row, "then"],
                "table",
                format!("this row gives no `{GOAL}`"),
            );
            None
        }
    }
}

fn some_time(compiler: &mut Compiler<'_>, below: &[&str], period: Period) {
    if period == Period::default() {
        compiler.value(
            below,
            "no-time",
            "a goal of no time at all is missed as it begins",
        );
    }
}

fn target(
    compiler: &mut Compiler<'_>,
    id: &TargetId,
    source: &definition::Target,
    level: &definition::ServiceLevel,
    ground: &Ground<'_>,
) -> Option<Target> {
    let start = ground.of_all(compiler, &["start"], &source.start, &Type::Boolean);
    let pause = source
        .pause
        .as_ref()
        .and_then(|cel| ground.of_all(compiler, &["pause"], cel, &Type::Boolean));
    let stop = ground.of_all(compiler, &["stop"], &source.stop, &Type::Boolean);
    goal(compiler, &["goal"], &source.goal, level);
    let around = Around {
        scope: &ground.full,
        links: None,
    };
    let warnings = compiler.within("warnings", |compiler| {
        let each = source.warnings.iter().map(|(id, warning)| {
            let effects = compiler.within(id.as_str(), |compiler| {
                effects(compiler, &warning.effects, around)
            });
            (
                id.clone(),
                Warning {
                    point: warning.point,
                    effects,
                },
            )
        });
        each.collect()
    });
    let breach = source.breach.clone().unwrap_or_default();
    let breach_effects = compiler.within("breach", |compiler| {
        if let Some(transition) = &breach.transition {
            somewhere(compiler, transition, ground);
        }
        effects(compiler, &breach.effects, around)
    });
    Some(Target {
        id: id.clone(),
        start: start?,
        pause,
        stop: stop?,
        reopened: source.reopened,
        goal: source.goal.clone(),
        change: source.change,
        warnings,
        breach_transition: breach.transition,
        breach_effects,
    })
}

fn goal(
    compiler: &mut Compiler<'_>,
    below: &[&str],
    source: &Goal,
    level: &definition::ServiceLevel,
) {
    let at = |key| below.iter().copied().chain([key]).collect::<Vec<_>>();
    match source {
        Goal::Table(table) => {
            if !level.tables.contains_key(table) {
                let known = level.tables.keys().map(TableId::as_str);
                compiler.unknown(&at("table"), Spot::Value, ("table", table.as_str()), known);
            }
        }
        Goal::Business(period) => some_time(compiler, &at("business"), *period),
        Goal::Time(period) => some_time(compiler, &at("time"), *period),
        Goal::Plugin { binding, fallback } => {
            compiler.binding(&at("plugin"), binding, Hook::ServiceLevel);
            goal(compiler, &at("fallback"), fallback, level);
        }
    }
}

/// Holds the transition of a breach to those that some workflow covered has.
pub(super) fn somewhere(
    compiler: &mut Compiler<'_>,
    transition: &TransitionId,
    ground: &Ground<'_>,
) {
    let all: Vec<&str> = ground
        .workflows
        .iter()
        .flat_map(|workflow| {
            let own = workflow
                .states
                .values()
                .flat_map(|state| state.transitions.keys());
            own.chain(workflow.anywhere.keys())
        })
        .map(TransitionId::as_str)
        .collect();
    if !compiler.names.lenient && !all.contains(&transition.as_str()) {
        compiler.unknown(
            &["do"],
            Spot::Value,
            ("transition", transition.as_str()),
            all.iter().copied(),
        );
    }
}
