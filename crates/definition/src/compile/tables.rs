//! Decision tables of a workflow: rows compiled, and the tables in an order in which each finds
//! decided what it reads.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use model::definition::{Hit, RoutingBy, Setting, Table as Source};
use model::id::{FieldId, TableId, TeamId};
use model::{Value, definition};

use super::compiler::Compiler;
use super::fault::Spot;
use super::field::{Field, FieldKind};
use super::fields::{slot, slot_field};
use super::order::{Order, in_order};
use super::scope::Scopes;
use super::types::{Computed, Row, Table};
use crate::expression::Expression;

/// Compiles the tables of a workflow.
pub(super) fn tables(
    compiler: &mut Compiler<'_>,
    source: &definition::Workflow,
    fields: &IndexMap<FieldId, Field>,
    scopes: &Scopes,
) -> IndexMap<TableId, Table> {
    decided_fields(compiler, source);
    let routing = match source
        .routing
        .as_ref()
        .and_then(|routing| routing.by.as_ref())
    {
        Some(RoutingBy::Table(table)) => Some(table),
        Some(RoutingBy::Members(members)) => members.table.as_ref(),
        _ => None,
    };
    let mut tables = IndexMap::new();
    compiler.within("tables", |compiler| {
        for (id, table_source) in &source.tables {
            let routes = routing == Some(id);
            let table = compiler.within(id.as_str(), |compiler| {
                let gives = gives(compiler, id, table_source, fields, routes, &source.tables);
                table(compiler, id, table_source, &gives, fields, scopes)
            });
            tables.insert(id.clone(), table);
        }
    });
    sorted(compiler, tables)
}

/// Each decided field must be among what its table gives.
fn decided_fields(compiler: &mut Compiler<'_>, source: &definition::Workflow) {
    for (id, field) in &source.fields {
        let Some(by) = &field.decided_by else {
            continue;
        };
        let below = ["fields", id.as_str(), "decided-by"];
        match source.tables.get(by) {
            None => {
                let known = source.tables.keys().map(TableId::as_str);
                compiler.unknown(&below, Spot::Value, ("table", by.as_str()), known);
            }
            Some(table) if table.gives.get(id) != Some(&true) => {
                let message = format!("the table `{by}` does not give `{id}`");
                let help = format!("the table needs `gives: {{ {id}: true }}`");
                let fault = compiler
                    .fault(&below, Spot::Value, "table", message)
                    .help(help);
                compiler.push(fault);
            }
            Some(_) => {}
        }
    }
}

/// What a table may give: the fields decided by it; the team and the assignee, where it routes.
fn gives(
    compiler: &mut Compiler<'_>,
    id: &TableId,
    source: &Source,
    fields: &IndexMap<FieldId, Field>,
    routes: bool,
    tables: &IndexMap<TableId, Source>,
) -> BTreeMap<FieldId, Field> {
    let mut gives = BTreeMap::new();
    for (given, _) in source.gives.iter().filter(|(_, given)| **given) {
        let below = ["gives", given.as_str()];
        if let Some(slot) = slot(given) {
            if !routes || given.as_str() == "requester" {
                let message = format!(
                    "a table gives `{given}` only where `routing` is `by` it, and never the requester"
                );
                compiler.key(&below, "table", message);
            }
            gives.insert(given.clone(), slot_field(&slot));
            continue;
        }
        match fields.get(given) {
            None => {
                let known = fields.keys().map(FieldId::as_str);
                compiler.unknown(&below, Spot::Key, ("field", given.as_str()), known);
            }
            Some(field) => {
                // A table that does not exist is told of at the field.
                let by = field.decided_by.as_ref();
                if by != Some(id) && by.is_none_or(|by| tables.contains_key(by)) {
                    let message = format!("the field `{given}` is not decided by this table");
                    let help = format!("the field needs `decided-by: {id}`");
                    let fault = compiler
                        .fault(&below, Spot::Key, "table", message)
                        .help(help);
                    compiler.push(fault);
                }
                gives.insert(given.clone(), field.clone());
            }
        }
    }
    let collects = source.hit == Hit::Collect;
    let single = |field: &Field| !matches!(field.kind, FieldKind::Texts | FieldKind::References(_));
    for (id, field) in gives.iter().filter(|(_, field)| collects && single(field)) {
        let message = format!(
            "`{id}` is {}, and what several rows give is put together in a list",
            field.kind.name()
        );
        compiler.key(&["gives", id.as_str()], "table", message);
    }
    if source.gives.is_empty() {
        compiler.key(
            &["gives"],
            "table",
            "a table that gives nothing decides nothing",
        );
    }
    gives
}

fn table(
    compiler: &mut Compiler<'_>,
    id: &TableId,
    source: &Source,
    gives: &BTreeMap<FieldId, Field>,
    fields: &IndexMap<FieldId, Field>,
    scopes: &Scopes,
) -> Table {
    let mut table = Table {
        id: id.clone(),
        hit: source.hit,
        gives: gives.keys().cloned().collect(),
        rows: Vec::with_capacity(source.rows.len()),
        reads: BTreeSet::new(),
        reads_beyond_fields: false,
    };
    for (id, row) in &source.rows {
        let path = ["rows", id.as_str(), "when"];
        let when = compiler.condition(&path, &row.when, &scopes.full);
        let mut then = Vec::new();
        for (given, setting) in &row.then {
            let below = ["rows", id.as_str(), "then", given.as_str()];
            let Some(field) = gives.get(given) else {
                let message = format!("this table does not give `{given}`");
                let known = gives.keys().map(FieldId::as_str);
                let fault = compiler
                    .fault(&below, Spot::Key, "unknown-name", message)
                    .suggest(given.as_str(), known);
                compiler.push(fault);
                continue;
            };
            let computed = compiler.setting(&below, setting, field, &scopes.full);
            if let Some(Computed::Expression(expression)) = &computed {
                table.note(expression, fields);
            }
            given_team(compiler, &below, given, setting);
            then.extend(computed.map(|computed| (given.clone(), computed)));
        }
        if let Some(when) = when {
            table.note(&when, fields);
            table.rows.push(Row {
                id: id.clone(),
                when,
                then,
            });
        }
    }
    table
}

/// Holds a team that is given as it stands to the teams there are.
pub(super) fn given_team(
    compiler: &mut Compiler<'_>,
    below: &[&str],
    given: &FieldId,
    setting: &Setting,
) {
    if given.as_str() != "team" {
        return;
    }
    if let Setting::Literal(serde_json::Value::String(team)) = setting
        && let Ok(team) = TeamId::new(team)
    {
        compiler.team(below, &team);
    }
}

impl Table {
    fn note(&mut self, expression: &Expression, fields: &IndexMap<FieldId, Field>) {
        for name in expression.references() {
            match fields.get_key_value(name) {
                Some((field, _)) => {
                    self.reads.insert(field.clone());
                }
                None => self.reads_beyond_fields = true,
            }
        }
    }
}

/// Puts each table after those that decide what it reads.
fn sorted(
    compiler: &mut Compiler<'_>,
    mut tables: IndexMap<TableId, Table>,
) -> IndexMap<TableId, Table> {
    let mut before: BTreeMap<TableId, BTreeSet<TableId>> = BTreeMap::new();
    for table in tables.values() {
        let decide = tables
            .values()
            .filter(|other| !other.gives.is_disjoint(&table.reads));
        before.insert(
            table.id.clone(),
            decide.map(|other| other.id.clone()).collect(),
        );
    }
    match in_order(tables.keys(), &before) {
        Order::Sorted(order) => order
            .iter()
            .filter_map(|id| tables.swap_remove_entry(id))
            .collect(),
        Order::Circle(circle) => {
            let shown = circle
                .iter()
                .map(TableId::as_str)
                .collect::<Vec<_>>()
                .join(" → ");
            let message = format!("these tables wait for each other's decision: {shown}");
            compiler.key(&["tables", circle[0].as_str()], "circular", message);
            tables
        }
    }
}

impl Computed {
    /// The value, where it is given as it stands.
    pub fn literal(&self) -> Option<&Value> {
        if let Self::Literal(value) = self {
            Some(value)
        } else {
            None
        }
    }
}
