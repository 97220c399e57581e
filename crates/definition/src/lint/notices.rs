//! Notices whose templates name what no record has.

use std::collections::{BTreeMap, BTreeSet};

use model::id::{FieldId, NoticeId};

use super::Rules;
use super::graph::all_effects;
use crate::compile::{Definitions, Effect, Fault, Workflow};
use crate::overlay::DefinitionKind;
use crate::source::nearest;
use crate::template::Template;

/// What templates may name of every record.
const RECORD: [&str; 10] = [
    "id",
    "workflow",
    "state",
    "category",
    "requester",
    "assignee",
    "team",
    "created_at",
    "updated_at",
    "url",
];
/// What they may name beside fields.
const OTHERS: [&str; 4] = ["record", "actor", "now", "approval"];
/// What they may name of the approval that is open.
const APPROVAL: [&str; 4] = ["stage", "asked", "needed", "due"];

/// Reads the templates; where not all workflows could be compiled, what those name is let pass.
pub(super) fn check(all: &Definitions, all_known: bool, faults: &mut Vec<Fault>) {
    let senders = senders(all);
    let mut workflows = all.workflows.values();
    let approval_is_field = workflows.any(|workflow| workflow.fields.contains_key("approval"));
    for (id, notice) in &all.notices {
        let mut rules = Rules::of(DefinitionKind::Notice, id.as_str(), faults);
        let mut known: BTreeSet<&str> = OTHERS.into_iter().collect();
        for workflow in senders.get(id).into_iter().flatten() {
            known.extend(workflow.fields.keys().map(FieldId::as_str));
        }
        // Where nothing sends it, it may be meant for any record.
        if !senders.contains_key(id) {
            let fields = all
                .workflows
                .values()
                .flat_map(|workflow| workflow.fields.keys());
            known.extend(fields.map(FieldId::as_str));
        }
        for (key, template) in [("subject", &notice.subject), ("text", &notice.text)] {
            if let Some(refused) = template.refused() {
                rules.error("notice-template", &[key], refused.to_owned());
            }
            let known = all_known.then_some(&known);
            template_names(key, template, known, approval_is_field, &mut rules);
        }
    }
}

fn template_names(
    key: &str,
    template: &Template,
    known: Option<&BTreeSet<&str>>,
    approval_is_field: bool,
    rules: &mut Rules<'_>,
) {
    let Some(known) = known else { return };
    for name in template.names() {
        let mut parts = name.split('.');
        let (first, member) = (parts.next().unwrap_or_default(), parts.next());
        let (wrong, near) = match member {
            _ if !known.contains(first) => (first, nearest(first, known.iter().copied())),
            Some(member) if first == "record" && !RECORD.contains(&member) => {
                (name.as_str(), nearest(member, RECORD))
            }
            // A field of that name counts more.
            Some(member)
                if first == "approval" && !approval_is_field && !APPROVAL.contains(&member) =>
            {
                (name.as_str(), nearest(member, APPROVAL))
            }
            _ => continue,
        };
        let message = format!("`{wrong}` is no field of the records that this notice is about");
        rules.error("unknown-name", &[key], message).help =
            near.map(|near| format!("did you mean `{near}`?"));
    }
}

/// The workflows about whose records each notice is sent.
fn senders(all: &Definitions) -> BTreeMap<&NoticeId, Vec<&Workflow>> {
    let mut senders: BTreeMap<&NoticeId, Vec<&Workflow>> = BTreeMap::new();
    for workflow in all.workflows.values() {
        let levels = all
            .service_levels
            .values()
            .filter(|level| level.covers.contains_key(&workflow.id));
        let targets = levels.flat_map(|level| level.targets.values());
        let clocks = targets.flat_map(|target| {
            target
                .warnings
                .values()
                .map(|warning| &warning.effects)
                .chain([&target.breach_effects])
        });
        let escalations = all.escalations.values();
        let escalations =
            escalations.filter(|escalation| escalation.covers.contains_key(&workflow.id));
        let ends = escalations.clone().map(|escalation| &escalation.effects);
        for escalation in escalations {
            let about = senders.entry(&escalation.notice).or_default();
            if about.iter().all(|known| known.id != workflow.id) {
                about.push(workflow);
            }
        }
        let others = clocks.chain(ends).flat_map(|effects| effects.values());
        for effect in all_effects(workflow).chain(others) {
            if let Effect::Notice(notice) = effect {
                let about = senders.entry(notice).or_default();
                if about.iter().all(|known| known.id != workflow.id) {
                    about.push(workflow);
                }
            }
        }
    }
    senders
}
