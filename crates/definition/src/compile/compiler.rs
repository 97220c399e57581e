//! What the compilation of every kind of definition shares: where it stands, what it found wrong,
//! and the look-up of names.

use indexmap::IndexMap;
use model::definition::{Cel, Permit as PermitSource, Setting, Wait};
use model::hook::Hook;
use model::id::{BindingId, CalendarId, NoticeId, PersonId, RoleId, TeamId};

use super::fault::{Fault, Spot};
use super::field::{Field, FieldKind};
use super::names::Names;
use super::types::{Computed, Permit, Permits, Recipient, Right};
use crate::expression::{Expression, ExpressionError, MAX_OPERATORS, Problem, Scope, Type};
use crate::overlay::DefinitionKind;
use crate::source::Severity;

/// The most faults kept of one definition; one with more has one cause for many.
const MAX_FAULTS: usize = 100;

/// The relations to a record that permits may name.
const RELATIONS: [(&str, Right); 5] = [
    ("anyone", Right::Anyone),
    ("requester", Right::Requester),
    ("assignee", Right::Assignee),
    ("team", Right::Team),
    ("watcher", Right::Watcher),
];

/// One definition at work.
pub(super) struct Compiler<'a> {
    pub(super) names: &'a Names,
    kind: DefinitionKind,
    id: String,
    path: Vec<String>,
    found: Vec<Fault>,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(kind: DefinitionKind, id: &str, names: &'a Names) -> Self {
        Self {
            names,
            kind,
            id: id.to_owned(),
            path: Vec::new(),
            found: Vec::new(),
        }
    }

    /// The compiled definition, if nothing was found wrong.
    pub(super) fn into_result<T>(self, compiled: Option<T>) -> Result<T, Vec<Fault>> {
        match compiled {
            Some(compiled) if self.found.is_empty() => Ok(compiled),
            _ => Err(self.found),
        }
    }

    /// Does something one key further down.
    pub(super) fn within<T>(&mut self, key: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(key.to_owned());
        let result = work(self);
        self.path.pop();
        result
    }

    /// Does something at the root of the definition.
    pub(super) fn at_root<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let path = std::mem::take(&mut self.path);
        let result = work(self);
        self.path = path;
        result
    }

    /// A fault at the value at the end of this path.
    pub(super) fn value(&mut self, below: &[&str], rule: &'static str, message: impl Into<String>) {
        let fault = self.fault(below, Spot::Value, rule, message);
        self.push(fault);
    }

    /// A fault at the key at the end of this path.
    pub(super) fn key(&mut self, below: &[&str], rule: &'static str, message: impl Into<String>) {
        let fault = self.fault(below, Spot::Key, rule, message);
        self.push(fault);
    }

    /// A name that nothing has.
    pub(super) fn unknown<'n>(
        &mut self,
        below: &[&str],
        spot: Spot,
        (what, name): (&str, &str),
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let message = format!("there is no {what} `{name}`");
        let fault = self.fault(below, spot, "unknown-name", message);
        self.push(fault.suggest(name, known));
    }

    pub(super) fn fault(
        &self,
        below: &[&str],
        spot: Spot,
        rule: &'static str,
        message: impl Into<String>,
    ) -> Fault {
        let below = below.iter().map(|key| (*key).to_owned());
        Fault {
            kind: self.kind,
            id: self.id.clone(),
            rule,
            severity: Severity::Error,
            path: self.path.iter().cloned().chain(below).collect(),
            spot,
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn push(&mut self, fault: Fault) {
        if self.found.len() < MAX_FAULTS && !self.found.contains(&fault) {
            self.found.push(fault);
        }
    }

    /// Compiles an expression.
    pub(super) fn cel(
        &mut self,
        below: &[&str],
        source: &Cel,
        scope: &Scope,
        wanted: &Type,
    ) -> Option<Expression> {
        match self.try_cel(source, scope, wanted) {
            Ok(expression) => Some(expression),
            Err(error) => {
                self.wrong_expression(below, &error);
                None
            }
        }
    }

    /// Compiles a condition.
    pub(super) fn condition(
        &mut self,
        below: &[&str],
        source: &Cel,
        scope: &Scope,
    ) -> Option<Expression> {
        self.cel(below, source, scope, &Type::Boolean)
    }

    pub(super) fn try_cel(
        &self,
        source: &Cel,
        scope: &Scope,
        wanted: &Type,
    ) -> Result<Expression, ExpressionError> {
        let mut result = Expression::compile(&source.0, scope, wanted);
        if !self.names.lenient {
            return result;
        }
        // An old version may name what is gone. Each pass finds another such name.
        let mut scope = scope.clone();
        for _ in 0..MAX_OPERATORS {
            let Err(error) = &result else { break };
            scope = match &error.problem {
                Problem::UnknownCalendar { name, .. } => scope.with_calendars([name.as_str()]),
                Problem::UnknownName { name, .. } => scope.with(name.as_str(), Type::Any),
                _ => break,
            };
            result = Expression::compile(&source.0, &scope, wanted);
        }
        result
    }

    pub(super) fn wrong_expression(&mut self, below: &[&str], error: &ExpressionError) {
        let fault = self.expression_fault(below, error);
        self.push(fault);
    }

    /// A fault in an expression.
    pub(super) fn expression_fault(&self, below: &[&str], error: &ExpressionError) -> Fault {
        let rule = match &error.problem {
            Problem::UnknownName { .. }
            | Problem::UnknownFunction { .. }
            | Problem::UnknownMethod { .. }
            | Problem::UnknownMember { .. }
            | Problem::UnknownCalendar { .. }
            | Problem::NotAnOption { .. } => "unknown-name",
            Problem::Empty | Problem::Syntax(_) => "expression-syntax",
            Problem::TooLong(_)
            | Problem::TooDeep
            | Problem::TooManyOperators
            | Problem::TooManyLoops => "expression-limit",
            _ => "ill-typed",
        };
        self.fault(below, Spot::Byte(error.offset), rule, error.to_string())
    }

    /// Compiles a value that is given to a field.
    pub(super) fn setting(
        &mut self,
        below: &[&str],
        setting: &Setting,
        field: &Field,
        scope: &Scope,
    ) -> Option<Computed> {
        match setting {
            Setting::Literal(json) => match field.accept(json) {
                Ok(value) => Some(Computed::Literal(value)),
                Err(wrong) => {
                    self.value(below, "wrong-value", format!("`{}` {wrong}", field.id));
                    None
                }
            },
            Setting::Computed { cel } => {
                let below: Vec<&str> = below.iter().copied().chain(["cel"]).collect();
                let expression = self.computed(&below, cel, &field.kind, scope)?;
                Some(Computed::Expression(expression))
            }
        }
    }

    /// Compiles what computes a value of this kind. Things of the directory are given by their ids.
    pub(super) fn computed(
        &mut self,
        below: &[&str],
        source: &Cel,
        kind: &FieldKind,
        scope: &Scope,
    ) -> Option<Expression> {
        match self.try_cel(source, scope, &kind.given_type().nullable()) {
            Ok(expression) => Some(expression),
            Err(error) => {
                let mut fault = self.expression_fault(below, &error);
                let is_whole = || self.try_cel(source, scope, &kind.term_type()).is_ok();
                if matches!(kind, FieldKind::Reference(_)) && is_whole() {
                    fault = fault.help(format!("its id is wanted: {}.id", source.0.trim()));
                }
                self.push(fault);
                None
            }
        }
    }

    /// Compiles the permits at `key`.
    pub(super) fn permits(
        &mut self,
        key: &str,
        source: &IndexMap<String, PermitSource>,
        scope: &Scope,
    ) -> Permits {
        let mut permits = Vec::new();
        for (name, permit) in source {
            let Some(right) = self.right(&[key, name], name) else {
                continue;
            };
            match permit {
                PermitSource::Always(true) => permits.push(Permit { right, when: None }),
                PermitSource::Always(false) => {}
                PermitSource::When(cel) => {
                    if let Some(when) = self.condition(&[key, name], cel, scope) {
                        let when = Some(when);
                        permits.push(Permit { right, when });
                    }
                }
            }
        }
        Permits(permits)
    }

    fn right(&mut self, below: &[&str], name: &str) -> Option<Right> {
        let relations = RELATIONS.iter().map(|(relation, _)| *relation);
        if let Some((_, right)) = RELATIONS.iter().find(|(relation, _)| *relation == name) {
            return Some(right.clone());
        }
        let role = RoleId::new(name).ok();
        match role {
            Some(role) if self.names.lenient || self.names.roles.contains(&role) => {
                Some(Right::Role(role))
            }
            _ => {
                let names = self.names;
                let known = names.roles.iter().map(RoleId::as_str).chain(relations);
                self.unknown(below, Spot::Key, ("role or relation", name), known);
                None
            }
        }
    }

    /// Who a notice goes to.
    pub(super) fn recipient(&mut self, below: &[&str], name: &str) -> Option<Recipient> {
        const RELATIONS: [(&str, Recipient); 5] = [
            ("requester", Recipient::Requester),
            ("assignee", Recipient::Assignee),
            ("team", Recipient::Team),
            ("watcher", Recipient::Watcher),
            ("approver", Recipient::Approver),
        ];
        let names = self.names;
        let role = RoleId::new(name).ok();
        let is_known = role.as_ref().is_some_and(|role| names.roles.contains(role));
        if let Some((_, recipient)) = RELATIONS.iter().find(|(relation, _)| *relation == name) {
            return Some(recipient.clone());
        }
        match (role, PersonId::new(name)) {
            (Some(role), _) if names.lenient || is_known => Some(Recipient::Role(role)),
            // People's ids are theirs alone where they look like addresses; else they could be
            // a role that is spelt wrong.
            (None, Ok(person)) if name.contains('@') => Some(Recipient::Person(person)),
            _ => {
                let relations = RELATIONS.iter().map(|(relation, _)| *relation);
                let known = names.roles.iter().map(RoleId::as_str).chain(relations);
                self.unknown(below, Spot::Key, ("role or relation", name), known);
                None
            }
        }
    }

    /// Holds the name of a team to those there are.
    pub(super) fn team(&mut self, below: &[&str], team: &TeamId) {
        let names = self.names;
        if !names.lenient && !names.teams.contains(team) {
            let known = names.teams.iter().map(TeamId::as_str);
            self.unknown(below, Spot::Value, ("team", team.as_str()), known);
        }
    }

    /// Holds the name of a role to those there are.
    pub(super) fn role(&mut self, below: &[&str], role: &RoleId) {
        let names = self.names;
        if !names.lenient && !names.roles.contains(role) {
            let known = names.roles.iter().map(RoleId::as_str);
            self.unknown(below, Spot::Value, ("role", role.as_str()), known);
        }
    }

    /// Holds the name of a notice to those there are.
    pub(super) fn notice(&mut self, below: &[&str], notice: &NoticeId) {
        let names = self.names;
        if !names.lenient && !names.notices.contains(notice) {
            let known = names.notices.iter().map(NoticeId::as_str);
            self.unknown(below, Spot::Value, ("notice", notice.as_str()), known);
        }
    }

    /// Holds the name of a calendar to those there are.
    pub(super) fn calendar(&mut self, below: &[&str], calendar: &CalendarId) {
        let names = self.names;
        if !names.lenient && !names.calendars.contains(calendar) {
            let known = names.calendars.iter().map(CalendarId::as_str);
            self.unknown(below, Spot::Value, ("calendar", calendar.as_str()), known);
        }
    }

    /// Holds the name of a calendar that stands as a key to those there are.
    pub(super) fn calendar_key(&mut self, below: &[&str], calendar: &CalendarId) {
        let names = self.names;
        if !names.lenient && !names.calendars.contains(calendar) {
            let known = names.calendars.iter().map(CalendarId::as_str);
            self.unknown(below, Spot::Key, ("calendar", calendar.as_str()), known);
        }
    }

    /// Holds the name of a binding to those there are and that are used for the hook.
    pub(super) fn binding(&mut self, below: &[&str], binding: &BindingId, hook: Hook) {
        let names = self.names;
        if names.lenient {
            return;
        }
        match names.bindings.get(binding) {
            None => {
                let known = names.bindings.keys().map(BindingId::as_str);
                self.unknown(below, Spot::Value, ("binding", binding.as_str()), known);
            }
            Some(hooks) if !hooks.contains(&hook) => {
                let message = format!(
                    "the binding `{binding}` is not used for the hook `{}`",
                    hook.as_str()
                );
                let help = format!(
                    "its definition needs `hooks: {{ {}: true }}`",
                    hook.as_str()
                );
                let fault = self.fault(below, Spot::Value, "missing-hook", message);
                self.push(fault.help(help));
            }
            Some(_) => {}
        }
    }

    /// Holds a wait to a length that passes, in a calendar that exists.
    pub(super) fn wait(&mut self, key: &str, wait: &Wait) {
        let (unit, period) = match wait {
            Wait::Time(period) => ("time", period),
            Wait::Business { period, calendar } => {
                self.calendar(&[key, "calendar"], calendar);
                ("business", period)
            }
        };
        if *period == model::time::Period::default() {
            self.value(&[key, unit], "no-time", "a wait of no time at all");
        }
    }
}
