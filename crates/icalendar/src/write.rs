//! A file of events, as other tools read it: RFC 5545 with lines folded, texts escaped and times in UTC.

use std::fmt::Write as _;

use model::Instant;

/// The most bytes of a line, its end not counted.
const LINE: usize = 75;

/// Something that happens once, to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// What the file calls it. The same event keeps its name from one file to the next, so that whoever
    /// reads both knows it again.
    pub uid: String,
    /// Its name.
    pub summary: String,
    /// More about it; nothing where it is empty.
    pub description: String,
    /// Its first instant. Files know whole seconds; what is less is left out.
    pub from: Instant,
    /// The first instant after it.
    pub to: Instant,
    /// Who takes part.
    pub attendees: Vec<crate::Attendee>,
}

/// The text of a file of this name with these events, made at an instant.
pub fn write<'e>(
    name: &str,
    made: Instant,
    events: impl IntoIterator<Item = &'e Written>,
) -> String {
    let mut file = File(String::new());
    file.line("BEGIN:VCALENDAR");
    file.line("VERSION:2.0");
    file.line("PRODID:-//Servicewright//Servicewright//EN");
    file.line("CALSCALE:GREGORIAN");
    file.text("X-WR-CALNAME", name);
    for event in events {
        file.line("BEGIN:VEVENT");
        file.text("UID", &event.uid);
        file.line(&format!("DTSTAMP:{}", time(made)));
        file.line(&format!("DTSTART:{}", time(event.from)));
        file.line(&format!("DTEND:{}", time(event.to)));
        file.text("SUMMARY", &event.summary);
        if !event.description.is_empty() {
            file.text("DESCRIPTION", &event.description);
        }
        for attendee in &event.attendees {
            let name = attendee.name.as_ref();
            let name = name.map_or_else(String::new, |name| format!(";CN=\"{}\"", quoted(name)));
            let address: String = attendee
                .address
                .chars()
                .filter(|it| is_plain(*it))
                .collect();
            file.line(&format!("ATTENDEE{name}:{address}"));
        }
        file.line("END:VEVENT");
    }
    file.line("END:VCALENDAR");
    file.0
}

/// A file under way.
struct File(String);

impl File {
    /// Writes a property whose value is a text.
    fn text(&mut self, property: &str, text: &str) {
        self.line(&format!("{property}:{}", escaped(text)));
    }

    /// Writes a line, in as many pieces as it takes, none of which ends within a character.
    fn line(&mut self, line: &str) {
        let mut width = 0;
        for character in line.chars() {
            if width + character.len_utf8() > LINE {
                self.0.push_str("\r\n ");
                // The blank that goes on counts too.
                width = 1;
            }
            self.0.push(character);
            width += character.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

/// A text with what means something in a file told apart from it; what no text may hold is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\n' => escaped.push_str("\\n"),
            character if is_plain(character) => escaped.push(character),
            _ => {}
        }
    }
    escaped
}

/// A text between double quotes, which cannot hold any. Some readers take what follows a backslash for
/// part of the text, which the standard does not; it gets none.
fn quoted(text: &str) -> String {
    let plain = text.chars().filter(|it| is_plain(*it));
    let told = plain.map(|it| match it {
        '"' => '\'',
        '\\' => '/',
        other => other,
    });
    told.collect()
}

const fn is_plain(character: char) -> bool {
    !character.is_ascii_control()
}

/// An instant in UTC: `20260301T093000Z`.
fn time(at: Instant) -> String {
    let mut text = String::new();
    let utc = at.to_utc();
    write!(text, "{}", utc.format("%Y%m%dT%H%M%SZ")).expect("a text takes any");
    text
}

#[cfg(test)]
mod tests {
    use model::Instant;
    use proptest::prelude::*;

    use super::{Written, write};
    use crate::{Attendee, Span, Window, read};

    fn event(uid: &str, summary: &str, from: i64, seconds: i64) -> Written {
        Written {
            uid: uid.to_owned(),
            summary: summary.to_owned(),
            description: String::new(),
            from: Instant::from_millis(from * 1000),
            to: Instant::from_millis((from + seconds) * 1000),
            attendees: vec![Attendee {
                name: Some(summary.to_owned()),
                address: "mailto:ada@desk.example".to_owned(),
            }],
        }
    }

    #[test]
    fn a_file_is_written_as_others_read_it() {
        let long = "Network; days, and a name that is longer than what stands on one line of a file: ünïcödé";
        let file = write(
            "On call",
            Instant::EPOCH,
            &[event("1.network", long, 1_774_746_000, 3600)],
        );
        let expected = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Servicewright//Servicewright//EN\r\n\
            CALSCALE:GREGORIAN\r\nX-WR-CALNAME:On call\r\nBEGIN:VEVENT\r\nUID:1.network\r\n\
            DTSTAMP:19700101T000000Z\r\nDTSTART:20260329T010000Z\r\nDTEND:20260329T020000Z\r\n\
            SUMMARY:Network\\; days\\, and a name that is longer than what stands on one \r\n line of a file: ünïcödé\r\n\
            ATTENDEE;CN=\"Network; days, and a name that is longer than what stands on o\r\n ne line of a file: ünïcödé\":mailto:ada@desk.example\r\n\
            END:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(file, expected);
        assert!(file.split("\r\n").all(|line| line.len() <= 75));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            events in prop::collection::vec(
                ("[a-z0-9.@;,:\\\\-]{1,60}", "\\PC{1,120}", 1_700_000_000_i64..1_800_000_000, 1_i64..400_000), 0..20,
            ),
        ) {
            let mut events: Vec<Written> = events
                .into_iter()
                .enumerate()
                // A name keeps its place in the file apart from others.
                .map(|(place, (uid, summary, from, seconds))| {
                    event(&format!("{place}{uid}"), summary.trim(), from, seconds)
                })
                .collect();
            let file = write("On call", Instant::EPOCH, &events);
            prop_assert!(file.split("\r\n").all(|line| line.len() <= 75));
            let window = Window {
                from: "2023-01-01".parse().expect("a date"),
                to: "2028-01-01".parse().expect("a date"),
            };
            let read = read(&file, window, chrono_tz::UTC).expect("a calendar");
            prop_assert_eq!(read.skipped, vec![]);
            events.sort_by(|a, b| (a.from, a.to, &a.uid).cmp(&(b.from, b.to, &b.uid)));
            let mut found = read.events;
            found.sort_by(|a, b| (a.span, &a.uid).cmp(&(b.span, &b.uid)));
            prop_assert_eq!(found.len(), events.len());
            for (found, written) in found.iter().zip(&events) {
                prop_assert_eq!(&found.uid, &written.uid);
                prop_assert_eq!(&found.summary, &written.summary);
                prop_assert_eq!(found.span, Span::Time(written.from, written.to));
                prop_assert_eq!(&found.attendees[0].address, &written.attendees[0].address);
            }
        }
    }
}
