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
        let for_board = risk.points >= settings.thresholds.board;
        if risk.points >= settings.thresholds.manager {
            let manager = manager(call, record)?;
            // The board decides alone rather than after somebody who stands in.
            if manager.is_some() || !for_board {
                stages.push(manager_stage(&settings, manager, &risk));
            }
        }
        if for_board {
            stages.push(board_stage(&settings, &risk));
        }
        Ok(Verdict::Ask(stages))
    }
}

/// The requester's manager: nobody where none is known, and where it is who asks, since nobody votes
/// on what they asked for.
fn manager(call: &Call, record: &Record) -> approval::Result<Option<String>> {
    let Some(requester) = &record.requester else {
        return Ok(None);
    };
    let manager = directory::user(requester)?.and_then(|person| person.manager);
    Ok(manager.filter(|manager| *manager != call.actor && manager != requester))
}

/// Asks the manager, or where there is none, somebody of the role that stands in.
fn manager_stage(settings: &Settings, manager: Option<String>, risk: &Risk) -> Stage {
    let (approver, who) = match manager {
        Some(manager) => (Approver::user(manager), "The requester's manager is asked"),
        None => (
            Approver::role(&settings.manager.stand_in_role),
            "Somebody else is asked in the manager's place",
        ),
    };
    let reason = format!("{who} because {}.", joined(&risk.against));
    Stage::new("manager", [approver], reason)
        .quorum(Quorum::Any)
        .timeout(settings.manager.limit())
}

fn board_stage(settings: &Settings, risk: &Risk) -> Stage {
    let reason = format!("The board is asked because {}.", joined(&risk.against));
    Stage::new("cab", [Approver::team(&settings.board.team)], reason)
        .quorum(Quorum::Percent(settings.board.quorum_percent))
        .timeout(settings.board.limit())
}

#[cfg(test)]
mod tests;
