//! Notices, and the bindings that hear of events.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::configuration::InstalledBinding;
use model::definition::{self, Cel, EventFilter, Plugin};
use model::event::EventKind;
use model::hook::Hook;
use model::id::{BindingId, NoticeId, WorkflowId};

use super::compiler::Compiler;
use super::fault::{Fault, Spot};
use super::names::{Names, hooks};
use super::service_level::Ground;
use super::types::{Binding, Notice, Subscription, Workflow};
use crate::expression::{Expression, Type};
use crate::overlay::DefinitionKind;
use crate::template::Template;

/// The commands that a binding may be granted.
const COMMANDS: [&str; 7] = [
    "create",
    "transition",
    "update",
    "assign",
    "vote",
    "comment",
    "link",
];

/// Compiles a notice.
///
/// # Errors
/// Everything that is wrong with it.
pub fn notice(
    id: &NoticeId,
    source: &definition::Notice,
    names: &Names,
) -> Result<Notice, Vec<Fault>> {
    let mut compiler = Compiler::new(DefinitionKind::Notice, id.as_str(), names);
    let to: Vec<_> = source
        .to
        .iter()
        .filter(|(_, gets)| **gets)
        .filter_map(|(name, _)| compiler.recipient(&["to", name], name))
        .collect();
    if !source.to.values().any(|gets| *gets) {
        compiler.key(&["to"], "to-nobody", "nobody gets this notice");
    }
    let subject = compiler.template("subject", &source.subject);
    let text = compiler.template("text", &source.text);
    let notice = subject.zip(text).map(|(subject, text)| Notice {
        id: id.clone(),
        to,
        mandatory: source.mandatory,
        subject,
        text,
    });
    compiler.into_result(notice)
}

impl Compiler<'_> {
    fn template(&mut self, key: &str, source: &str) -> Option<Template> {
        let compiled = Template::compile(source);
        compiled
            .map_err(|reason| {
                let message = format!("not a template: {reason}");
                self.key(&[key], "notice-template", message);
            })
            .ok()
    }
}

/// Compiles a binding against the workflows in force.
///
/// # Errors
/// Everything that is wrong with it, up to a hundred faults.
pub fn binding<'w>(
    id: &BindingId,
    installed: &InstalledBinding,
    source: &Arc<Plugin>,
    workflows: impl Fn(&WorkflowId) -> Option<&'w Workflow>,
    names: &Names,
) -> Result<Binding, Vec<Fault>> {
    let mut compiler = Compiler::new(DefinitionKind::Plugin, id.as_str(), names);
    uses(&mut compiler, source);
    digests(&mut compiler, source);
    vote_links(&mut compiler, source);
    let mut events = Vec::new();
    for (kind, filter) in &source.events {
        let subscription = compiler.within("events", |compiler| {
            compiler.within(kind.as_str(), |compiler| {
                subscription(compiler, *kind, filter, &workflows)
            })
        });
        events.extend(subscription);
    }
    let binding = Binding {
        id: id.clone(),
        installed: installed.clone(),
        plugin: Arc::clone(source),
        events,
    };
    compiler.into_result(Some(binding))
}

/// Refuses digests that nothing would come into, and conditions of them: they are about a person.
fn digests(compiler: &mut Compiler<'_>, source: &Plugin) {
    let Some(filter) = source.events.get(&EventKind::Digest) else {
        return;
    };
    if !source.events.contains_key(&EventKind::Notice) {
        let message = "a digest gathers what the event `notice` tells, of which it is not told";
        let fault = compiler
            .fault(
                &["events", "digest"],
                Spot::Key,
                "binding",
                message.to_owned(),
            )
            .help("add `notice: {}`");
        compiler.push(fault);
    }
    if filter.when.is_some() || !filter.workflows.is_empty() {
        compiler.key(
            &["events", "digest"],
            "binding",
            "a digest is about a person, not about a record: it takes no conditions",
        );
    }
}

/// Refuses links for votes where no notice is heard of with which they could go.
fn vote_links(compiler: &mut Compiler<'_>, source: &Plugin) {
    if !source.grants.vote_links || source.events.contains_key(&EventKind::Notice) {
        return;
    }
    let message = "links for votes go with the event `notice`, of which the binding is not told";
    let fault = compiler
        .fault(
            &["grants", "vote-links"],
            Spot::Key,
            "binding",
            message.to_owned(),
        )
        .help("add `notice: {}` to `events`, or take the grant out");
    compiler.push(fault);
}

/// Refuses what goes with a hook that the binding is not used for, and grants of what is not there.
fn uses(compiler: &mut Compiler<'_>, source: &Plugin) {
    let hooks = hooks(source);
    if hooks.is_empty() {
        compiler.key(
            &["hooks"],
            "binding",
            "a binding is used for a hook at least",
        );
    }
    for (key, hook, given) in [
        ("events", Hook::Delivery, !source.events.is_empty()),
        ("schedule", Hook::Schedule, source.schedule.is_some()),
    ] {
        if given && !hooks.contains(&hook) {
            let message = format!(
                "`{key}` is for a binding used for the hook `{}`",
                hook.as_str()
            );
            let help = format!("`hooks` needs `{}: true`", hook.as_str());
            let fault = compiler
                .fault(&[key], Spot::Key, "missing-hook", message)
                .help(help);
            compiler.push(fault);
        }
    }
    if hooks.contains(&Hook::Schedule) && source.schedule.is_none() {
        let fault = compiler
            .fault(
                &["hooks", "schedule"],
                Spot::Key,
                "binding",
                "nothing says how often it runs",
            )
            .help("add `schedule: { every: PT1H }`");
        compiler.push(fault);
    }
    if source
        .schedule
        .is_some_and(|schedule| schedule.every.as_secs() < 60)
    {
        compiler.value(
            &["schedule", "every"],
            "binding",
            "a schedule runs once a minute at most",
        );
    }
    for (id, commands) in &source.grants.commands {
        known_workflow(compiler, &["grants", "commands", id.as_str()], id);
        for command in commands
            .keys()
            .filter(|command| !COMMANDS.contains(&command.as_str()))
        {
            let below = ["grants", "commands", id.as_str(), command.as_str()];
            compiler.unknown(&below, Spot::Key, ("command", command), COMMANDS);
        }
    }
}

fn known_workflow(compiler: &mut Compiler<'_>, below: &[&str], id: &WorkflowId) {
    let names = compiler.names;
    if !names.lenient && !names.workflows.contains_key(id) {
        let known = names.workflows.keys().map(WorkflowId::as_str);
        compiler.unknown(below, Spot::Key, ("workflow", id.as_str()), known);
    }
}

fn subscription<'w>(
    compiler: &mut Compiler<'_>,
    kind: EventKind,
    filter: &EventFilter,
    workflows: &impl Fn(&WorkflowId) -> Option<&'w Workflow>,
) -> Option<Subscription> {
    let named: BTreeSet<WorkflowId> = filter
        .workflows
        .iter()
        .filter(|(_, hears)| **hears)
        .map(|(id, _)| id.clone())
        .collect();
    for id in filter.workflows.keys() {
        known_workflow(compiler, &["workflows", id.as_str()], id);
    }
    let names = compiler.names;
    let all = || {
        names
            .workflows
            .keys()
            .filter(|id| named.is_empty() || named.contains(*id))
    };
    let heard: Vec<&Workflow> = all().filter_map(workflows).collect();
    let when = match &filter.when {
        None => None,
        Some(cel) => Some(event_filter(compiler, cel, &heard)?),
    };
    Some(Subscription {
        kind,
        workflows: named,
        when,
    })
}

/// An event's filter may read what only some of the workflows have: for records of others it is not
/// true. It must make sense for one of them at least.
fn event_filter(compiler: &mut Compiler<'_>, cel: &Cel, heard: &[&Workflow]) -> Option<Expression> {
    let whole = Ground::of(heard, compiler.names);
    let alone = heard
        .iter()
        .map(|workflow| Ground::of(&[*workflow], compiler.names));
    let mut first = None;
    for ground in alone {
        match compiler.try_cel(cel, &ground.full, &Type::Boolean) {
            Ok(_) => return compiler.condition(&["when"], cel, &whole.full),
            Err(error) => first = first.or(Some(error)),
        }
    }
    match first {
        // What no workflow makes sense of alone, all together may: what differs is of any type.
        Some(error) => {
            compiler.wrong_expression(&["when"], &error);
            None
        }
        None => compiler.condition(&["when"], cel, &whole.full),
    }
}
