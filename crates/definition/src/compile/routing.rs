//! Who gets the work: a binding, a table, or a member chosen by rule.

use model::definition::{self, MemberRouting, RoutingBy};
use model::hook::Hook;
use model::id::TableId;
use model::skills::{HIGHEST_LEVEL, LONGEST_NAME};

use super::compiler::Compiler;
use super::fault::Spot;
use super::scope::Scopes;
use super::types::{Routing, SkillNeeded};

/// The most skills that a rule asks for.
const MAX_SKILLS: usize = 50;

pub(super) fn routing(
    compiler: &mut Compiler<'_>,
    source: &definition::Workflow,
    scopes: &Scopes,
) -> Option<Routing> {
    let routing = source.routing.as_ref()?;
    let skills = compiler.within("routing", |compiler| {
        compiler.team(&["fallback", "team"], &routing.fallback.team);
        match &routing.by {
            Some(RoutingBy::Plugin(binding)) => {
                compiler.binding(&["by", "plugin"], binding, Hook::Routing);
            }
            Some(RoutingBy::Table(id)) => table(compiler, &["by", "table"], id, source),
            Some(RoutingBy::Members(members)) => {
                let below = ["by", "members", "table"];
                if let Some(id) = &members.table {
                    table(compiler, &below, id, source);
                }
                return members_of(compiler, members, scopes);
            }
            None => {}
        }
        Vec::new()
    });
    Some(Routing {
        by: routing.by.clone(),
        skills,
        fallback: routing.fallback.team.clone(),
    })
}

fn table(compiler: &mut Compiler<'_>, below: &[&str], id: &TableId, source: &definition::Workflow) {
    match source.tables.get(id) {
        None => {
            let known = source.tables.keys().map(TableId::as_str);
            compiler.unknown(below, Spot::Value, ("table", id.as_str()), known);
        }
        Some(gives) if gives.gives.get("team") != Some(&true) => {
            let message = format!("the table `{id}` does not give `team`");
            compiler.value(below, "table", message);
        }
        Some(_) => {}
    }
}

fn members_of(
    compiler: &mut Compiler<'_>,
    members: &MemberRouting,
    scopes: &Scopes,
) -> Vec<SkillNeeded> {
    if let Some(team) = &members.team {
        compiler.team(&["by", "members", "team"], team);
        if members.table.is_some() {
            let message = "a team is told by `team` or by `table`, not by both";
            compiler.key(&["by", "members", "table"], "choice", message);
        }
    }
    if members.most_open == Some(0) {
        let message = "who may have no record at all never gets one; 1 is the least";
        compiler.value(&["by", "members", "most-open"], "value", message);
    }
    if members.skills.len() > MAX_SKILLS {
        let message = format!(
            "{} skills; at most {MAX_SKILLS} are asked for",
            members.skills.len()
        );
        compiler.key(&["by", "members", "skills"], "too-many", message);
        return Vec::new();
    }
    let mut skills = Vec::new();
    for (name, needed) in &members.skills {
        let below = |key| ["by", "members", "skills", name.as_str(), key];
        if !(1..=LONGEST_NAME).contains(&name.chars().count()) {
            let message = format!("the name of a skill has 1 to {LONGEST_NAME} characters");
            compiler.key(
                &["by", "members", "skills", name.as_str()],
                "value",
                message,
            );
        }
        let level = needed.level.unwrap_or(1);
        if !(1..=HIGHEST_LEVEL).contains(&level) {
            let message = format!("{level} is no level; levels go from 1 to {HIGHEST_LEVEL}");
            compiler.value(&below("level"), "value", message);
        }
        let when = needed.when.as_ref();
        let when = when.map(|cel| compiler.condition(&below("when"), cel, &scopes.full));
        if let Some(None) = when {
            continue;
        }
        skills.push(SkillNeeded {
            name: name.clone(),
            level,
            when: when.flatten(),
        });
    }
    skills
}

#[cfg(test)]
mod tests {
    use model::Digest;
    use model::id::{PackId, TeamId, WorkflowId};
    use serde_json::{Value as Json, json};

    use super::super::names::Names;
    use super::super::workflow;

    /// What is wrong with a workflow that is routed by this rule.
    fn faults(members: &Json) -> Vec<String> {
        let rows = |then: Json| json!({ "rest": { "when": "true", "then": then } });
        let table = |gives: &str, value: &str| json!({ "hit": "first", "gives": { gives: true }, "rows": rows(json!({ gives: value })) });
        let source = json!({
            "title": "Test",
            "number": "TST",
            "fields": {
                "about": { "options": { "cisco": {}, "other": {} } },
                "size": { "options": { "small": {} }, "decided-by": "sizes" },
            },
            "tables": { "desks": table("team", "desk"), "sizes": table("size", "small") },
            "routing": { "by": { "members": members }, "fallback": { "team": "desk" } },
            "create": { "begin": { "to": "open", "route": true } },
            "states": { "open": { "category": "open" } },
        });
        // A table gives `team` only where routing is by it.
        let mut source = source;
        if members.get("table") != Some(&json!("desks")) {
            source["tables"]
                .as_object_mut()
                .expect("tables")
                .remove("desks");
        }
        let names = Names {
            teams: [TeamId::new("desk").expect("an id")].into(),
            ..Names::default()
        };
        let id = WorkflowId::new("test").expect("an id");
        let pack = PackId::new("test").expect("an id");
        let source = serde_json::from_value(source).expect("a workflow");
        match workflow(
            &id,
            Digest::default(),
            &pack,
            chrono_tz::UTC,
            &source,
            &names,
        ) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn a_rule_is_held_to_what_there_is() {
        for sound in [
            json!({}),
            json!({ "table": "desks", "among": "on-call", "prefer": "round-robin", "sticky": true }),
            json!({ "team": "desk", "skills": { "cisco": { "level": 3, "when": "about == 'cisco'" }, "wifi": {} } }),
        ] {
            assert_eq!(faults(&sound), Vec::<String>::new(), "{sound}");
        }
        for (members, expected) in [
            (json!({ "team": "dsek" }), "there is no team `dsek`"),
            (json!({ "table": "dseks" }), "there is no table `dseks`"),
            (
                json!({ "table": "sizes" }),
                "the table `sizes` does not give `team`",
            ),
            (
                json!({ "team": "desk", "table": "desks" }),
                "a team is told by `team` or by `table`, not by both",
            ),
            (
                json!({ "skills": { "cisco": { "level": 11 } } }),
                "11 is no level; levels go from 1 to 10",
            ),
            (
                json!({ "skills": { "cisco": { "when": "abuot == 'cisco'" } } }),
                "`abuot` is not known here",
            ),
            (
                json!({ "most-open": 0 }),
                "who may have no record at all never gets one",
            ),
        ] {
            let found = faults(&members);
            assert!(
                found.first().is_some_and(|it| it.contains(expected)),
                "{members}: {found:?}"
            );
        }
    }
}
