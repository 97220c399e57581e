//! Routing: who gets the work, by a plugin, a table or a rule of the server's own, with a team of last
//! resort.

use definition::compile::Definitions;
use model::Value;
use model::definition::RoutingBy;
use model::event::Event;
use model::hook::{Answer, Ask};
use model::id::{PersonId, TeamId};

use super::{Result, Step};

impl Step<'_> {
    /// Asks who gets the work, and assigns it.
    pub(super) fn route(&mut self) -> Result<()> {
        let Some(routing) = &self.input.workflow.routing else {
            return Ok(());
        };
        let fallback = || {
            (
                routing.fallback.clone(),
                None,
                "the team of last resort".to_owned(),
            )
        };
        let (team, assignee, reason) = match &routing.by {
            None => fallback(),
            Some(RoutingBy::Plugin(binding)) => {
                let answer = self.ask(binding, Ask::Route, |step, answer| {
                    check_assignment(step, answer)
                })?;
                answer.unwrap_or_else(fallback)
            }
            Some(RoutingBy::Members(members)) => {
                self.choose_member(members).unwrap_or_else(fallback)
            }
            Some(RoutingBy::Table(id)) => {
                let table = self.input.workflow.tables.get(id);
                let team = table.and_then(|table| self.table_gives(table, "team"));
                match team
                    .as_ref()
                    .and_then(Value::as_text)
                    .and_then(|team| known_team(self.input.definitions, team))
                {
                    Some(team) => (team, None, format!("by the table {id}")),
                    None => fallback(),
                }
            }
        };
        if self.record.team.as_ref() != Some(&team) || self.record.assignee != assignee {
            self.emit(Event::Assigned {
                team: Some(team),
                assignee,
                reason,
            });
        }
        Ok(())
    }
}

/// Whether an assignment fits the desk: the team exists, and the person is one of its members.
fn check_assignment(
    step: &Step<'_>,
    answer: &Answer,
) -> std::result::Result<(TeamId, Option<PersonId>, String), String> {
    let Answer::Assignment {
        team,
        assignee,
        reason,
    } = answer
    else {
        return Err("it answered something other than an assignment".to_owned());
    };
    let team = known_team(step.input.definitions, team)
        .ok_or_else(|| format!("there is no team `{}`", shown(team)))?;
    let assignee =
        match assignee {
            None => None,
            Some(person) => {
                let roster = step.ledger.roster(&team);
                let member = roster
                    .members
                    .keys()
                    .find(|member| member.as_str() == person);
                Some(member.cloned().ok_or_else(|| {
                    format!("`{}` is no member of the team {team}", shown(person))
                })?)
            }
        };
    Ok((team, assignee, reason.chars().take(2_000).collect()))
}

pub(super) fn known_team(definitions: &Definitions, team: &str) -> Option<TeamId> {
    definitions
        .teams
        .get_key_value(team)
        .map(|(id, _)| id.clone())
}

pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
