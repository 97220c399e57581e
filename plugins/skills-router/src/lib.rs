//! Gives work to somebody who has the skills, is on shift and has the least to do.
//!
//! First the team: by the value of a field, by the service's team, or the default one, unless
//! somebody elsewhere has a skill that nobody there has. Then the person: whoever worked on it last,
//! or of those with the skills and on shift the one with the fewest open records. The reason says in
//! words how it came about.

mod choice;
mod settings;

use choice::{Choice, Needs, among, whoever};
use servicewright_sdk::directory::{self, Member};
use servicewright_sdk::routing::{self, Assignment, Call, Record, Routing};
use servicewright_sdk::{Fields, Value};
use settings::{Assign, Settings};

/// As many teams are looked through for a skill that the first one lacks.
const MAX_TEAMS: usize = 50;

/// The `routing` hook.
pub struct SkillsRouter;

servicewright_sdk::export_routing!(SkillsRouter);

impl Routing for SkillsRouter {
    fn route(call: &Call, record: &Record) -> routing::Result<Assignment> {
        let settings: Settings = call.settings()?;
        let service = service(&settings, record)?;
        let needed = needed_skills(&settings, record, &service)?;
        let needs = Needs {
            skills: &needed,
            requester: record.requester.as_deref(),
        };
        if let Some(kept) = keep(&settings, record, needs)? {
            return Ok(kept);
        }
        let first = first_team(&settings, record, &service)?;
        let hints = hints(&settings, record)?;
        let chosen = choose_team(first, needs, &hints)?;
        if settings.assign == Assign::Team {
            return Ok(chosen.unassigned());
        }
        let needs = Needs {
            skills: &chosen.skills,
            ..needs
        };
        let choice = among(&settings, &chosen.members, needs);
        Ok(chosen.assigned(choice))
    }
}

/// What the desk keeps about the record's service; nothing where it has none.
fn service(settings: &Settings, record: &Record) -> routing::Result<Fields> {
    let id: Option<&str> = record.field(&settings.service_field)?;
    match id {
        Some(id) => Ok(directory::find("service", id)?.unwrap_or_default()),
        None => Ok(Fields::new()),
    }
}

/// The skills without which nobody can do it, each once.
fn needed_skills(
    settings: &Settings,
    record: &Record,
    service: &Fields,
) -> routing::Result<Vec<String>> {
    let mut skills = texts(service, "skills");
    for field in &settings.skill_fields {
        skills.extend(texts(&record.fields, field));
    }
    for (field, by_value) in &settings.skills {
        let value: Option<&str> = record.field(field)?;
        skills.extend(
            value
                .and_then(|value| by_value.get(value))
                .into_iter()
                .flatten()
                .cloned(),
        );
    }
    skills.sort_unstable();
    skills.dedup();
    Ok(skills)
}

/// What a field says, whether it holds one text or several.
fn texts(fields: &Fields, id: &str) -> Vec<String> {
    match fields.value(id) {
        Value::Text(text) => vec![text.clone()],
        Value::Texts(texts) => texts.clone(),
        _ => Vec::new(),
    }
}

/// What may be the name of a skill.
fn hints(settings: &Settings, record: &Record) -> routing::Result<Vec<String>> {
    let mut hints = Vec::new();
    for field in &settings.hint_fields {
        hints.extend(record.field::<Option<String>>(field)?);
    }
    Ok(hints)
}

/// Whoever worked on it last goes on with it, while they are at work and able to.
fn keep(
    settings: &Settings,
    record: &Record,
    needs: Needs<'_>,
) -> routing::Result<Option<Assignment>> {
    let (Some(team), Some(last)) = (&record.team, &record.assignee) else {
        return Ok(None);
    };
    if !settings.keep_assignee || settings.assign == Assign::Team {
        return Ok(None);
    }
    let stays = directory::members(team)?
        .iter()
        .any(|member| member.user == *last && member.on_shift && needs.met_by(member));
    Ok(stays.then(|| Assignment {
        team: team.clone(),
        assignee: Some(last.clone()),
        reason: format!("{last} worked on it last and is on shift."),
    }))
}

/// The team that is asked first.
struct FirstTeam {
    id: String,
    why: String,
    /// Whether something says so; otherwise it is only where things begin.
    certain: bool,
}

fn first_team(
    settings: &Settings,
    record: &Record,
    service: &Fields,
) -> routing::Result<FirstTeam> {
    for (field, by_value) in &settings.teams {
        let value: Option<&str> = record.field(field)?;
        if let Some((value, team)) = value.and_then(|value| by_value.get_key_value(value)) {
            return Ok(FirstTeam {
                id: team.clone(),
                why: format!("{field} is {value}"),
                certain: true,
            });
        }
    }
    if let Some(team) = service.get::<Option<&str>>("team")? {
        return Ok(FirstTeam {
            id: team.to_owned(),
            why: "it looks after the service".to_owned(),
            certain: true,
        });
    }
    Ok(FirstTeam {
        id: settings.default_team.clone(),
        why: "nothing says otherwise".to_owned(),
        certain: false,
    })
}

/// A team, and who of it comes into question.
struct Team {
    id: String,
    why: String,
    members: Vec<Member>,
    /// What they have to know: what is needed, and those hints that somebody lives up to.
    skills: Vec<String>,
}

impl Team {
    fn unassigned(self) -> Assignment {
        Assignment {
            reason: format!("Team {}, since {}.", self.id, self.why),
            team: self.id,
            assignee: None,
        }
    }

    fn assigned(self, choice: Choice) -> Assignment {
        let joined = if choice.user.is_some() {
            "; "
        } else {
            ", which "
        };
        Assignment {
            reason: format!(
                "Team {}, since {}{joined}{}.",
                self.id, self.why, choice.reason
            ),
            team: self.id,
            assignee: choice.user,
        }
    }
}

/// The first team, or another in which somebody has the skills that nobody there has. Hints narrow
/// the choice, and lead to another team only where nothing speaks for the first.
fn choose_team(first: FirstTeam, needs: Needs<'_>, hints: &[String]) -> routing::Result<Team> {
    let needed = needs.skills.to_vec();
    let hinted: Vec<String> = needed.iter().chain(hints).cloned().collect();
    let members = directory::members(&first.id)?;
    let mut skills = needed;
    if somebody_able(&members, needs, &hinted) {
        skills = hinted;
    } else if !first.certain
        && !hints.is_empty()
        && let Some(other) = other_team(&first.id, needs, &hinted)?
    {
        return Ok(other);
    } else if !somebody_able(&members, needs, &skills)
        && let Some(other) = other_team(&first.id, needs, &skills)?
    {
        return Ok(other);
    }
    Ok(Team {
        id: first.id,
        why: first.why,
        members,
        skills,
    })
}

/// The first other team in the alphabet in which somebody has these skills.
fn other_team(first: &str, needs: Needs<'_>, skills: &[String]) -> routing::Result<Option<Team>> {
    if skills.is_empty() {
        return Ok(None);
    }
    let mut teams = directory::teams()?;
    teams.sort_unstable();
    for id in teams.into_iter().filter(|id| id != first).take(MAX_TEAMS) {
        let members = directory::members(&id)?;
        if somebody_able(&members, needs, skills) {
            return Ok(Some(Team {
                id,
                why: format!("it has somebody {}", whoever(skills)),
                members,
                skills: skills.to_vec(),
            }));
        }
    }
    Ok(None)
}

fn somebody_able(members: &[Member], needs: Needs<'_>, skills: &[String]) -> bool {
    let needs = Needs { skills, ..needs };
    members.iter().any(|member| needs.met_by(member))
}

#[cfg(test)]
mod tests;
