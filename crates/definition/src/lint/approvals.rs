//! Approvals: every way one can end leads on, those asked are not the one who asks, and nobody goes
//! round it.

use std::collections::BTreeSet;

use model::definition::{Approver, Outcome};
use model::id::{StageId, StateId};

use super::Rules;
use super::graph::Graph;
use super::moves::fills_no_form;
use crate::compile::{Approval, Right, Workflow};

pub(super) fn check(graph: &Graph<'_>, rules: &mut Rules<'_>) {
    for (id, state) in &graph.workflow.states {
        if let Some(approval) = &state.approval {
            outcomes(graph.workflow, id, approval, rules);
            asked(graph.workflow, id, approval, rules);
        }
    }
}

fn outcomes(workflow: &Workflow, state: &StateId, approval: &Approval, rules: &mut Rules<'_>) {
    let missing = Outcome::ALL
        .into_iter()
        .filter(|outcome| !approval.then.contains_key(outcome));
    let missing: Vec<&str> = missing.map(Outcome::as_str).collect();
    if !missing.is_empty() {
        let message = format!(
            "nothing follows an approval that ends as {}",
            missing.join(", ")
        );
        rules
            .error(
                "approval-outcome",
                &["states", state.as_str(), "approval", "then"],
                message,
            )
            .help = Some(format!("name a transition for each: `{}: …`", missing[0]));
    }
    for (outcome, to) in &approval.then {
        let path = [
            "states",
            state.as_str(),
            "approval",
            "then",
            outcome.as_str(),
        ];
        let Some(transition) = workflow.transition(state, to.as_str()) else {
            continue;
        };
        fills_no_form("an approval", transition, &path, rules);
        if *outcome == Outcome::Approved && !transition.permit.0.is_empty() {
            let message = format!(
                "`{to}` follows approval, and people may take it without: it has a `permit`"
            );
            rules.warning("approval-bypass", &path, message).help =
                Some("let the approval take a transition of its own, without `permit`".to_owned());
        }
    }
}

/// Those asked must not all be such as only the requester can be. Best effort: roles that whoever
/// begins a record has.
fn asked(workflow: &Workflow, state: &StateId, approval: &Approval, rules: &mut Rules<'_>) {
    only_one(state, approval, rules);
    let begin: BTreeSet<&Right> = workflow
        .create
        .values()
        .flat_map(|create| &create.permit.0)
        .map(|permit| &permit.right)
        .collect();
    let [Right::Role(beginner)] = begin.iter().copied().collect::<Vec<_>>()[..] else {
        return;
    };
    for (id, stage) in approval
        .stages
        .iter()
        .filter(|(_, stage)| !stage.source.allow_self)
    {
        let is_beginner =
            |approver: &Approver| matches!(approver, Approver::Role(role) if role == beginner);
        if !stage.source.approvers.is_empty() && stage.source.approvers.values().all(is_beginner) {
            let message = format!(
                "only `{beginner}` may begin these records, and only `{beginner}` is asked: a requester is among the approvers and may not vote"
            );
            requester_among(state, id, message, rules);
        }
    }
}

/// One person alone, who may be the requester too.
fn only_one(state: &StateId, approval: &Approval, rules: &mut Rules<'_>) {
    for (id, stage) in &approval.stages {
        let approvers: Vec<&Approver> = stage.source.approvers.values().collect();
        if let [Approver::User(person)] = approvers[..]
            && !stage.source.allow_self
        {
            let message = format!(
                "only `{person}` is asked, and nobody where `{person}` is the requester: nobody approves what they ask for themselves"
            );
            requester_among(state, id, message, rules);
        }
    }
}

fn requester_among(state: &StateId, stage: &StageId, message: String, rules: &mut Rules<'_>) {
    let path = [
        "states",
        state.as_str(),
        "approval",
        "stages",
        stage.as_str(),
        "approvers",
    ];
    rules
        .warning("requester-among-approvers", &path, message)
        .help = Some("ask someone else too, or say `self: true`".to_owned());
}
