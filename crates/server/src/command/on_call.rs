//! `wright on-call`: who is on call now, or was or will be at an instant.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use engine::OnCallQuery;
use model::Instant;
use serde_json::{Value, json};

use super::{Outcome, block_on, list, print, text};
use crate::admin::{self, Ask};
use crate::cli::{Format, OnCallArguments};

/// How many rotas are asked at a time.
const PART: usize = 200;
/// What each column is called.
const TITLES: [&str; 5] = ["ROTA", "TEAM", "ON CALL", "BY", "UNTIL"];

pub(super) fn run(arguments: OnCallArguments, format: Format) -> Result<Outcome> {
    let report = block_on(asked(arguments))?;
    print(format, &report, || told(&report))?;
    Ok(Outcome::Done)
}

/// All parts, at the same instant.
async fn asked(arguments: OnCallArguments) -> Result<Value> {
    let OnCallArguments {
        rota,
        team,
        mut at,
        data,
    } = arguments;
    let mut query = OnCallQuery {
        team,
        rota,
        after: None,
        limit: PART,
    };
    let mut rotas = Vec::new();
    loop {
        let ask = Ask::OnCall {
            at,
            query: query.clone(),
        };
        let mut answer = admin::ask(&data.data, ask).await?;
        rotas.extend_from_slice(list(&answer, "rotas"));
        let (told_of, next): (Instant, _) = serde_json::from_value(answer["at"].take())
            .and_then(|at| Ok((at, serde_json::from_value(answer["next"].take())?)))
            .context("the server is of another version")?;
        at = Some(told_of);
        match next {
            Some(next) => query.after = Some(next),
            None => return Ok(json!({ "at": told_of, "rotas": rotas })),
        }
    }
}

fn told(report: &Value) -> String {
    let at = text(report, "at");
    let rows: Vec<[String; 5]> = list(report, "rotas").iter().map(row).collect();
    if rows.is_empty() {
        return "no such rota: administrators put them into the directory\n".to_owned();
    }
    let mut told = format!("at {at}\n");
    let titles = TITLES.map(str::to_owned);
    let length = |cell: &String| cell.chars().count();
    let widths: [usize; 5] = std::array::from_fn(|column| {
        let cells = std::iter::once(&titles).chain(&rows);
        let widest = cells.map(|row| length(&row[column])).max();
        widest.unwrap_or_default()
    });
    for row in std::iter::once(&titles).chain(&rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        let _ = writeln!(told, "{}", line.trim_end());
    }
    told
}

fn row(rota: &Value) -> [String; 5] {
    let on_call = &rota["on_call"];
    let of = |name: &str| text(on_call, name);
    let who = match (of("person"), of("instead_of")) {
        ("", _) => "nobody".to_owned(),
        (person, "") => person.to_owned(),
        (person, turn) => format!("{person} instead of {turn}"),
    };
    let by = ["layer", "override"].map(|name| (name, of(name)));
    let by = by.into_iter().find(|(_, id)| !id.is_empty());
    let by = by.map_or_else(String::new, |(name, id)| format!("{name} {id}"));
    [
        text(rota, "rota").to_owned(),
        text(rota, "team").to_owned(),
        who,
        by,
        text(rota, "until").to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::told;

    #[test]
    fn each_rota_has_a_line() {
        let report = json!({ "at": "2026-03-28T13:00:00Z", "rotas": [
            { "rota": "backbone", "team": "backbone", "until": "2026-03-28T20:00:00Z",
              "on_call": { "person": "dirk", "instead_of": "carla", "override": "swap" }, "layers": [] },
            { "rota": "backbone-second", "team": "backbone", "until": "2026-03-30T07:00:00Z",
              "on_call": { "person": "ada", "layer": "weeks" }, "layers": [] },
            { "rota": "disks", "team": "disks", "on_call": null, "layers": [] },
        ] });
        expect![[r#"
            at 2026-03-28T13:00:00Z
            ROTA             TEAM      ON CALL                BY             UNTIL
            backbone         backbone  dirk instead of carla  override swap  2026-03-28T20:00:00Z
            backbone-second  backbone  ada                    layer weeks    2026-03-30T07:00:00Z
            disks            disks     nobody
        "#]]
        .assert_eq(&told(&report));
        assert!(
            told(&json!({ "at": "2026-03-28T13:00:00Z", "rotas": [] })).starts_with("no such rota")
        );
    }
}
