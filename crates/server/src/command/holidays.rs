//! `wright calendar import`: from an iCalendar file to holidays that calendars can use.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use definition::source::line_text;
use icalendar::{Span, Window};
use model::definition::Date;
use model::id::HolidaysId;
use serde::Serialize;

use super::{Outcome, print};
use crate::cli::{Format, HolidaysArguments};

/// The longest name of a holiday.
const MAX_NAME_CHARS: usize = 100;

/// What came of a file.
#[derive(Debug, Serialize)]
struct Imported {
    id: HolidaysId,
    /// Where they were written.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    holidays: BTreeMap<String, String>,
    skipped: Vec<Skipped>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Skipped {
    event: String,
    reason: String,
}

pub(super) fn run(arguments: &HolidaysArguments, format: Format) -> Result<Outcome> {
    let text = read(&arguments.file)?;
    let mut imported = import(&text, arguments)
        .with_context(|| format!("cannot import {}", arguments.file.display()))?;
    for Skipped { event, reason } in &imported.skipped {
        eprintln!("skipped {event}: {reason}");
    }
    if imported.holidays.is_empty() {
        let years = arguments.years;
        eprintln!(
            "{} has no whole day from {} to {}: nothing is written",
            arguments.file.display(),
            years.first,
            years.last
        );
        return Ok(Outcome::Wanting);
    }
    let yaml = yaml(&imported, arguments.title.as_deref())?;
    if let Some(pack) = &arguments.pack {
        imported.file = Some(write(pack, arguments, &yaml)?);
    }
    print(format, &imported, || match &imported.file {
        Some(file) => format!(
            "{} holidays are written to {file}; a calendar uses them by `use: {{ {}: true }}`",
            imported.holidays.len(),
            imported.id
        ),
        None => yaml.clone(),
    })?;
    Ok(Outcome::Done)
}

fn read(file: &Path) -> Result<String> {
    let cannot = || format!("cannot read {}", file.display());
    let length = std::fs::metadata(file).with_context(cannot)?.len();
    if length > icalendar::read::MAX_BYTES as u64 {
        bail!(
            "{} has {length} bytes; at most {} are read",
            file.display(),
            icalendar::read::MAX_BYTES
        );
    }
    let bytes = std::fs::read(file).with_context(cannot)?;
    String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{} is not in UTF-8", file.display()))
}

/// The whole days of the years asked for, by date, and what else there was.
fn import(text: &str, arguments: &HolidaysArguments) -> Result<Imported> {
    let date = |year: i32| -> Result<Date> { Ok(format!("{year:04}-01-01").parse()?) };
    let window = Window {
        from: date(arguments.years.first)?,
        to: date(arguments.years.last + 1)?,
    };
    let file = icalendar::read(text, window, chrono_tz::UTC)?;
    let mut names: BTreeMap<Date, Vec<String>> = BTreeMap::new();
    let mut skipped: BTreeSet<Skipped> = BTreeSet::new();
    for event in &file.events {
        match event.span {
            Span::Days(from, to) => {
                let days = from.naive().iter_days().take_while(|day| *day < to.naive());
                let dates = days.filter_map(Date::from_naive);
                for date in dates.filter(|date| (window.from..window.to).contains(date)) {
                    let names = names.entry(date).or_default();
                    if !names.contains(&event.summary) && !event.summary.is_empty() {
                        names.push(event.summary.clone());
                    }
                }
            }
            Span::Time(..) => {
                skipped.insert(Skipped {
                    event: called(&event.summary, &event.uid),
                    reason: "it is not a whole day".to_owned(),
                });
            }
        }
    }
    skipped.extend(file.skipped.iter().map(|skipped| Skipped {
        event: called(&skipped.summary, &skipped.uid),
        reason: skipped.reason.to_string(),
    }));
    let named = |(date, names): (Date, Vec<String>)| {
        let name: String = names.join(", ").chars().take(MAX_NAME_CHARS).collect();
        (date.to_string(), name)
    };
    Ok(Imported {
        id: arguments.id.clone(),
        file: None,
        holidays: names.into_iter().map(named).collect(),
        skipped: skipped.into_iter().collect(),
    })
}

/// An event as messages call it.
fn called(summary: &str, uid: &str) -> String {
    match (summary, uid) {
        ("", "") => "an event without a name".to_owned(),
        ("", uid) => format!("the event {uid}"),
        (summary, _) => format!("`{summary}`"),
    }
}

fn yaml(imported: &Imported, title: Option<&str>) -> Result<String> {
    let mut text = format!(
        "apiVersion: servicewright/v1\nkind: Holidays\nid: {}\n",
        imported.id
    );
    if let Some(title) = title {
        writeln!(text, "title: {}", line_text(title))?;
    }
    text.push_str("holidays:\n");
    for (date, name) in &imported.holidays {
        if name.is_empty() {
            writeln!(text, "  \"{date}\": {{}}")?;
        } else {
            writeln!(text, "  \"{date}\": {{ name: {} }}", line_text(name))?;
        }
    }
    definition::format::format(&text).context("what was written does not read back")
}

/// Writes the file into a pack. Says where it stands.
fn write(pack: &Path, arguments: &HolidaysArguments, yaml: &str) -> Result<String> {
    if !pack.join("pack.yaml").is_file() {
        bail!("there is no pack.yaml in {}: it is no pack", pack.display());
    }
    let folder = pack.join("holidays");
    let file = folder.join(format!("{}.yaml", arguments.id));
    if file.exists() && !arguments.replace {
        bail!(
            "{} is there already; --replace writes over it",
            file.display()
        );
    }
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&file, yaml))
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file.display().to_string())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::{import, yaml};
    use crate::cli::HolidaysArguments;

    /// As a public calendar of holidays is published.
    const BELGIUM: &str = "BEGIN:VCALENDAR\r
PRODID:-//Example//Public Holidays//EN\r
VERSION:2.0\r
CALSCALE:GREGORIAN\r
METHOD:PUBLISH\r
X-WR-CALNAME:Holidays in Belgium\r
X-WR-TIMEZONE:UTC\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20260101\r
DTEND;VALUE=DATE:20260102\r
DTSTAMP:20251120T101500Z\r
UID:20260101_newyear@holidays.example\r
CLASS:PUBLIC\r
DESCRIPTION:Public holiday\r
RRULE:FREQ=YEARLY;UNTIL=20271231\r
SUMMARY:New Year's Day\r
STATUS:CONFIRMED\r
TRANSP:TRANSPARENT\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20260406\r
UID:20260406_easter@holidays.example\r
SUMMARY:Easter Monday: closed\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20251231\r
DTEND;VALUE=DATE:20260103\r
UID:close@desk.example\r
SUMMARY:Year-end clos\r
 ing\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;TZID=Europe/Brussels:20261224T120000\r
DTEND;TZID=Europe/Brussels:20261224T180000\r
UID:eve@desk.example\r
SUMMARY:Christmas Eve\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20260230\r
UID:wrong@desk.example\r
END:VEVENT\r
END:VCALENDAR\r
";

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        arguments: HolidaysArguments,
    }

    fn arguments(line: &str) -> HolidaysArguments {
        use clap::Parser as _;
        let words = std::iter::once("import").chain(line.split(' '));
        Line::try_parse_from(words)
            .expect("as it is said")
            .arguments
    }

    #[test]
    fn whole_days_become_holidays_and_the_rest_is_told() {
        let arguments = arguments("be.ics --id belgium --years 2026-2027");
        let imported = import(BELGIUM, &arguments).expect("a calendar");
        expect![[r#"
            apiVersion: servicewright/v1
            kind: Holidays
            id: belgium
            title: Belgium
            holidays:
              "2026-01-01": { name: "Year-end closing, New Year's Day" }
              "2026-01-02": { name: Year-end closing }
              "2026-04-06": { name: "Easter Monday: closed" }
              "2027-01-01": { name: New Year's Day }
        "#]]
        .assert_eq(&yaml(&imported, Some("Belgium")).expect("formatted"));
        let told = imported.skipped.iter();
        let told: Vec<_> = told
            .map(|it| format!("{}: {}", it.event, it.reason))
            .collect();
        assert_eq!(
            told,
            [
                "`Christmas Eve`: it is not a whole day",
                "the event wrong@desk.example: it has a time that does not exist"
            ]
        );
    }

    #[test]
    fn years_are_few_and_in_order() {
        use crate::cli::Years;
        assert_eq!(
            "2026".parse(),
            Ok(Years {
                first: 2026,
                last: 2026
            })
        );
        for wrong in ["", "26", "2027-2026", "1900-2000", "2026-", "2026-02-03"] {
            assert!(wrong.parse::<Years>().is_err(), "{wrong}");
        }
    }
}
