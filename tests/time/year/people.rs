//! Who is there: three sites with hours of their own, two hundred people, a board, and rotas.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use model::Instant;
use model::id::PersonId;
use serde_json::{Value as Json, json};

use super::rotas::Rotas;
use crate::desk::Desk;
use crate::minutes::{Hours, Minutes};

pub(crate) const SITES: [&str; 3] = ["brussels", "new-york", "sydney"];
const TEAMS: [&str; 4] = ["brussels", "new-york", "sydney", "board"];
const PEOPLE: usize = 200;
/// Of those at each site, so many are agents, and the first is everybody's manager.
const AGENTS: usize = 15;
const BOARD: usize = 5;

pub(crate) struct Sites {
    pub(crate) minutes: Vec<Minutes>,
    pub(crate) people: Vec<Person>,
    pub(crate) rotas: Rotas,
}

pub(crate) struct Person {
    pub(crate) number: usize,
    pub(crate) id: PersonId,
    pub(crate) manager: PersonId,
    pub(crate) site: usize,
    pub(crate) is_agent: bool,
    pub(crate) is_on_board: bool,
}

/// The hours of the pack's calendars, written down once more.
fn hours() -> [Hours; 3] {
    const OFFICE: &[(u32, u32)] = &[(480, 720), (780, 1020)];
    const FRIDAY: &[(u32, u32)] = &[(480, 720), (780, 990)];
    const LONG: &[(u32, u32)] = &[(510, 1050)];
    const SHORT: &[(u32, u32)] = &[(540, 1020)];
    const NIGHT: &[(u32, u32)] = &[(1320, 360)];
    [
        Hours {
            zone: chrono_tz::Europe::Brussels,
            week: [OFFICE, OFFICE, OFFICE, OFFICE, FRIDAY, &[], &[]],
            holidays: &[
                ("2026-01-01", &[]),
                ("2026-04-06", &[]),
                ("2026-05-01", &[]),
                ("2026-07-21", &[]),
                ("2026-12-24", &[(480, 720)]),
                ("2026-12-25", &[]),
                ("2027-01-01", &[]),
            ],
        },
        Hours {
            zone: chrono_tz::America::New_York,
            week: [LONG, LONG, LONG, LONG, LONG, &[], &[]],
            holidays: &[
                ("2026-01-01", &[]),
                ("2026-05-25", &[]),
                ("2026-07-03", &[]),
                ("2026-11-26", &[]),
                ("2026-11-27", &[(540, 780)]),
                ("2026-12-25", &[]),
                ("2027-01-01", &[]),
            ],
        },
        Hours {
            zone: chrono_tz::Australia::Sydney,
            week: [SHORT, SHORT, SHORT, SHORT, SHORT, NIGHT, &[]],
            holidays: &[
                ("2026-01-01", &[]),
                ("2026-01-26", &[]),
                ("2026-04-25", &[(1380, 1440)]),
                ("2026-12-25", &[]),
                ("2027-01-01", &[]),
            ],
        },
    ]
}

/// The zone of the pack's calendar days.
pub(crate) const ZONE: Tz = chrono_tz::Europe::Brussels;

impl Sites {
    pub(crate) fn new() -> Self {
        let from: Instant = "2025-12-25T00:00:00Z".parse().expect("a time");
        let to: Instant = "2027-03-01T00:00:00Z".parse().expect("a time");
        let minutes = hours().map(|hours| Minutes::of(&hours, from, to));
        let id = |number: usize| PersonId::new(&format!("person-{number}")).expect("an id");
        let people = (0..PEOPLE).map(|number| {
            let site = number % SITES.len();
            Person {
                number,
                id: id(number),
                // Whoever leads a site has the lead of the next one as manager.
                manager: id(if number < SITES.len() {
                    (number + 1) % SITES.len()
                } else {
                    site
                }),
                site,
                is_agent: number < AGENTS * SITES.len(),
                is_on_board: number >= PEOPLE - BOARD,
            }
        });
        Self {
            minutes: minutes.into(),
            people: people.collect(),
            rotas: Rotas::new(from, to),
        }
    }

    /// The people of a team.
    pub(crate) fn members<'a>(&'a self, team: &'a str) -> impl Iterator<Item = &'a Person> {
        self.people.iter().filter(move |person| {
            if team == "board" {
                person.is_on_board
            } else {
                person.is_agent && SITES[person.site] == team
            }
        })
    }

    pub(crate) fn person(&self, id: &PersonId) -> &Person {
        let number = id.as_str().trim_start_matches("person-");
        &self.people[number.parse::<usize>().expect("a number")]
    }
}

/// Puts everyone into the directory, and the teams that they are in.
pub(crate) async fn put(desk: &Desk, sites: &Sites) {
    for person in &sites.people {
        let thing = json!({ "name": person.id.as_str(), "manager": person.manager.as_str() });
        desk.put("user", person.id.as_str(), thing).await;
    }
    for team in TEAMS {
        let members: BTreeMap<&str, Json> = sites
            .members(team)
            .map(|person| (person.id.as_str(), json!({})))
            .collect();
        let mut thing = json!({ "members": members });
        if team == "new-york" {
            thing["rota"] = json!("new-york-desk");
        }
        desk.put("team", team, thing).await;
    }
    sites.rotas.put_absences(desk).await;
}
