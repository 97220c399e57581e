//! Decides who must agree to a change: nobody, the requester's manager, or the manager and after
//! that the change advisory board.
//!
//! Risk is counted in points, from the impact, the number of services affected, a planned window
//! that touches a freeze, past failures of the same kind, and the workflow's own rating. Whoever is
//! asked is told what counted.

mod risk;
mod settings;

use risk::{Risk, joined};
use servicewright_sdk::approval::{
    self, Approval, Approver, Call, Quorum, Record, Request, Stage, Verdict,
};
use servicewright_sdk::directory;
use settings::Settings;

/// The `approval` hook.
pub struct ChangeAdvisory;

servicewright_sdk::export_approval!(ChangeAdvisory);

impl Approval for ChangeAdvisory {
    fn decide(call: &Call, record: &Record, _request: &Request) -> approval::Result<Verdict> {
        let settings: Settings = call.settings()?;
        let risk = Risk::assess(&settings, record, call.now)?;
        if risk.points < settings.thresholds.manager.min(settings.thresholds.board) {
            let reason = format!("A standard change: {}.", joined(&risk.favours));
            return Ok(Verdict::Approve(reason));
        }
        let mut stages = Vec::new();
        if risk.points >= settings.thresholds.manager {
            stages.push(manager_stage(call, &settings, record, &risk)?);
        }
        if risk.points >= settings.thresholds.board {
            stages.push(board_stage(&settings, &risk));
        }
        Ok(Verdict::Ask(stages))
    }
}

/// Asks the requester's manager, or somebody of the role that stands in: where nobody knows the
/// manager, and where it is who asks, since nobody votes on what they asked for.
fn manager_stage(
    call: &Call,
    settings: &Settings,
    record: &Record,
    risk: &Risk,
) -> approval::Result<Stage> {
    let requester = match &record.requester {
        Some(requester) => directory::user(requester)?,
        None => None,
    };
    let manager = requester
        .and_then(|requester| requester.manager)
        .filter(|manager| *manager != call.actor && Some(manager) != record.requester.as_ref());
    let (approver, who) = match manager {
        Some(manager) => (Approver::user(manager), "The requester's manager is asked"),
        None => (
            Approver::role(&settings.manager.stand_in_role),
            "Somebody else is asked in the manager's place",
        ),
    };
    let reason = format!("{who} because {}.", joined(&risk.against));
    Ok(Stage::new("manager", [approver], reason)
        .quorum(Quorum::Any)
        .timeout(settings.manager.limit()))
}

fn board_stage(settings: &Settings, risk: &Risk) -> Stage {
    let reason = format!("The board is asked because {}.", joined(&risk.against));
    Stage::new("cab", [Approver::team(&settings.board.team)], reason)
        .quorum(Quorum::Percent(settings.board.quorum_percent))
        .timeout(settings.board.limit())
}

#[cfg(test)]
mod tests;
