//! Choosing one of several people, and saying why in words.

use servicewright_sdk::directory::Member;

use crate::settings::{OffShift, Prefer, Settings};

/// What is needed to be able to do it.
#[derive(Clone, Copy)]
pub(crate) struct Needs<'a> {
    pub(crate) skills: &'a [String],
    /// Never given what they asked for themselves.
    pub(crate) requester: Option<&'a str>,
}

impl Needs<'_> {
    /// Whether somebody could do it, at work or not.
    pub(crate) fn met_by(&self, member: &Member) -> bool {
        self.requester != Some(member.user.as_str())
            && self
                .skills
                .iter()
                .all(|skill| member.skills.contains(skill))
    }
}

/// Whom the work goes to, and why.
pub(crate) struct Choice {
    pub(crate) user: Option<String>,
    pub(crate) reason: String,
}

/// Chooses among the people of one team.
pub(crate) fn among(settings: &Settings, members: &[Member], needs: Needs<'_>) -> Choice {
    let able: Vec<&Member> = members
        .iter()
        .filter(|member| needs.met_by(member))
        .collect();
    let (who, all_who) = (whoever(needs.skills), all_whoever(needs.skills));
    if able.is_empty() {
        return nobody(format!("has nobody {who}"));
    }
    let at_work: Vec<&Member> = able.iter().copied().filter(|one| one.on_shift).collect();
    let (candidates, shift) = match (at_work.is_empty(), settings.off_shift) {
        (false, _) => (at_work, "on shift"),
        (true, OffShift::Assign) => (able, "though none is on shift"),
        (true, OffShift::Wait) => return nobody(format!("has nobody on shift {who}")),
    };
    let with_room: Vec<&Member> = candidates
        .into_iter()
        .filter(|one| {
            settings
                .max_open_records
                .is_none_or(|max| one.open_records < max)
        })
        .collect();
    let Some(chosen) = first(settings.prefer, &with_room) else {
        return nobody(format!("has nobody with room for more {who}"));
    };
    let count = with_room.len();
    let reason = match (count, settings.prefer) {
        (1, _) => format!("{} is the only one {who}, {shift}", chosen.user),
        (_, Prefer::LeastLoaded) => format!(
            "of {count} people {all_who}, {shift}, {} has the fewest open records, {}",
            chosen.user, chosen.open_records
        ),
        (_, Prefer::RoundRobin) => format!(
            "of {count} people {all_who}, {shift}, it is the turn of {}",
            chosen.user
        ),
    };
    Choice {
        user: Some(chosen.user.clone()),
        reason,
    }
}

fn nobody(reason: String) -> Choice {
    Choice { user: None, reason }
}

/// Whose turn it is. Who was never given anything comes before all others, and where nothing else
/// tells two apart, their ids do.
fn first<'a>(prefer: Prefer, members: &[&'a Member]) -> Option<&'a Member> {
    match prefer {
        Prefer::LeastLoaded => members
            .iter()
            .min_by_key(|one| (one.open_records, one.last_assigned_at, one.user.clone())),
        Prefer::RoundRobin => members
            .iter()
            .min_by_key(|one| (one.last_assigned_at, one.open_records, one.user.clone())),
    }
    .copied()
}

/// Who can do it, in words that follow somebody.
pub(crate) fn whoever(skills: &[String]) -> String {
    match listed(skills) {
        Some(skills) => format!("who knows {skills}"),
        None => "who may take it".to_owned(),
    }
}

/// Who can do it, in words that follow several people.
fn all_whoever(skills: &[String]) -> String {
    match listed(skills) {
        Some(skills) => format!("who know {skills}"),
        None => "who may take it".to_owned(),
    }
}

fn listed(skills: &[String]) -> Option<String> {
    match skills {
        [] => None,
        [only] => Some(only.clone()),
        [rest @ .., last] => Some(format!("{} and {last}", rest.join(", "))),
    }
}
