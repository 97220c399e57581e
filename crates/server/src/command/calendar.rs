//! `wright calendar eval`: tries calendars on questions given as JSON Lines, an answer a line.
//! A line that is wrong is answered with what is wrong with it, and the next one is read.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

use ::calendar::Calendar;
use model::{Duration, Instant};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The longest line read; a calendar with 10,000 holidays fits.
const MAX_LINE_BYTES: usize = 1 << 20;
const BUFFER_BYTES: usize = 1 << 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question<'a> {
    #[serde(borrow)]
    calendar: &'a RawValue,
    start: Instant,
    add: Option<Duration>,
    end: Option<Instant>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Due { due: Option<String> },
    Elapsed { elapsed_s: u64 },
    Error { error: String },
}

/// Answers every line of `input` but blank ones, and says whether all could be.
///
/// Answers are passed on before more input is waited for, so that a program may ask, read the
/// answer and ask on.
///
/// # Errors
/// Only where reading or writing fails.
pub(crate) fn eval(input: impl Read, output: impl Write) -> io::Result<bool> {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, output);
    let mut desk = Desk::default();
    let mut line = Vec::new();
    let mut all_answered = true;
    loop {
        if input.buffer().is_empty() {
            output.flush()?;
        }
        let answer = match read_line(&mut input, &mut line)? {
            Line::End => break,
            Line::Whole if line.trim_ascii().is_empty() => continue,
            Line::Whole => desk
                .answer(&line)
                .unwrap_or_else(|error| Answer::Error { error }),
            Line::TooLong => Answer::Error {
                error: format!("the line is longer than {MAX_LINE_BYTES} bytes"),
            },
        };
        all_answered &= !matches!(answer, Answer::Error { .. });
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
    }
    output.flush()?;
    Ok(all_answered)
}

/// The calendar last asked about: most lines ask about the one of the line before.
#[derive(Default)]
struct Desk {
    body: String,
    calendar: Option<Calendar>,
}

impl Desk {
    fn answer(&mut self, line: &[u8]) -> Result<Answer, String> {
        let question: Question =
            serde_json::from_slice(line).map_err(|error| within_line(&error))?;
        let start = question.start;
        match (question.add, question.end) {
            (Some(duration), None) => {
                let due = self.calendar(question.calendar)?.add(start, duration);
                Ok(Answer::Due {
                    due: due.map(Instant::to_seconds_text),
                })
            }
            (None, Some(end)) => {
                let elapsed = self.calendar(question.calendar)?.between(start, end);
                Ok(Answer::Elapsed {
                    elapsed_s: elapsed.as_secs(),
                })
            }
            _ => Err(
                "a line has either `add`, a duration such as PT8H, or `end`, an instant".to_owned(),
            ),
        }
    }

    fn calendar(&mut self, body: &RawValue) -> Result<&Calendar, String> {
        if self.calendar.is_none() || self.body != body.get() {
            self.calendar = None;
            let definition: model::definition::Calendar = serde_json::from_str(body.get())
                .map_err(|error| format!("calendar: {}", within_line(&error)))?;
            if !definition.uses.is_empty() {
                return Err(
                    "calendar: `use` names holidays of a pack; here a calendar says all of its `holidays` itself".to_owned(),
                );
            }
            let calendar = Calendar::compile(&definition).map_err(|error| {
                let place = error.path().join(".");
                if place.is_empty() {
                    format!("calendar: {error}")
                } else {
                    format!("calendar: {place}: {error}")
                }
            })?;
            body.get().clone_into(&mut self.body);
            self.calendar = Some(calendar);
        }
        Ok(self.calendar.as_ref().expect("compiled just now or before"))
    }
}

/// What is wrong and in which column; the line is the one answered.
fn within_line(error: &serde_json::Error) -> String {
    let (text, column) = (error.to_string(), error.column());
    let place = format!(" at line {} column {column}", error.line());
    text.strip_suffix(&place)
        .map(|what| format!("{what} (column {column})"))
        .unwrap_or(text)
}

enum Line {
    Whole,
    TooLong,
    End,
}

/// Reads a line into `line`, and past the end of one that is too long.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let most = u64::try_from(MAX_LINE_BYTES).expect("a million") + 1;
    if input.by_ref().take(most).read_until(b'\n', line)? == 0 {
        return Ok(Line::End);
    }
    if line.ends_with(b"\n") || line.len() <= MAX_LINE_BYTES {
        return Ok(Line::Whole);
    }
    input.skip_until(b'\n')?;
    Ok(Line::TooLong)
}

#[cfg(test)]
mod tests {
    use super::{MAX_LINE_BYTES, eval};

    const OFFICE: &str = r#"{"zone":"Europe/Brussels","hours":{"thu":{"all":"08:00-18:00"},"fri":{"all":"08:00-18:00"}},"holidays":{"2012-05-17":{"name":"Ascension"}}}"#;

    fn check(input: &str, expected: &[&str], all_answered: bool) {
        let mut output = Vec::new();
        assert_eq!(
            eval(input.as_bytes(), &mut output).expect("memory"),
            all_answered
        );
        let output = String::from_utf8(output).expect("JSON");
        assert_eq!(output.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_line_is_answered_with_when_or_how_long() {
        let input = format!(
            r#"{{"calendar":{OFFICE},"start":"2012-05-03T08:46:25.900+02:00","add":"PT8H"}}

{{"calendar":{OFFICE},"start":"2012-05-03T16:30:00Z","end":"2012-05-18T06:00:00.500Z"}}
{{"calendar":{{"zone":"UTC"}},"start":"2012-05-03T06:46:25Z","add":"PT8H"}}"#
        );
        let expected = [
            r#"{"due":"2012-05-03T14:46:25Z"}"#,
            r#"{"elapsed_s":108000}"#,
            r#"{"due":null}"#,
        ];
        check(&input, &expected, true);
    }

    #[test]
    fn dates_that_recur_count_as_they_do_in_a_pack() {
        let freeze = r#"{"zone":"Europe/Brussels","recurring":{"year-end":{"first":"2026-12-19","days":16,"repeats":"FREQ=YEARLY","hours":{"all-day":"00:00-24:00"}}}}"#;
        let patches = r#"{"zone":"UTC","recurring":{"patches":{"first":"2026-01-14","repeats":"FREQ=MONTHLY;BYDAY=2TU"}}}"#;
        let input = format!(
            r#"{{"calendar":{freeze},"start":"2031-01-01T00:00:00Z","end":"2032-01-01T00:00:00Z"}}
{{"calendar":{freeze},"start":"2031-06-01T00:00:00Z","add":"PT1H"}}
{{"calendar":{patches},"start":"2031-06-01T00:00:00Z","add":"PT1H"}}"#
        );
        let expected = [
            // Three days less an hour at the year's begin, thirteen and an hour at its end.
            r#"{"elapsed_s":1382400}"#,
            r#"{"due":"2031-12-19T00:00:00Z"}"#,
            r#"{"error":"calendar: recurring.patches.first: the rule does not give 2026-01-14, with which it is to begin; the next that it gives is 2026-02-10"}"#,
        ];
        check(&input, &expected, false);
    }

    #[test]
    fn a_wrong_line_is_answered_with_what_is_wrong_and_the_next_one_is_read() {
        let ask = |calendar: &str, rest: &str| {
            format!(r#"{{"calendar":{calendar},"start":"2012-05-03T06:46:25Z"{rest}}}"#)
        };
        let input = [
            "not json".to_owned(),
            ask(r#"{"zone":"Mars"}"#, r#","add":"PT1H""#),
            ask(
                r#"{"zone":"UTC","hours":{"mon":{"a":"8-12"}}}"#,
                r#","add":"PT1H""#,
            ),
            ask(OFFICE, ""),
            ask(OFFICE, r#","add":"8h""#),
            " ".repeat(3 * MAX_LINE_BYTES),
            ask(OFFICE, r#","add":"PT1H""#),
        ];
        let expected = [
            r#"{"error":"expected ident (column 2)"}"#,
            r#"{"error":"calendar: `Mars` is not an IANA time zone, such as Europe/Brussels"}"#,
            r#"{"error":"calendar: `8-12` is not an interval of two times, such as 08:00-12:00, 22:00-06:00 or 18:00-24:00 (column 41)"}"#,
            r#"{"error":"a line has either `add`, a duration such as PT8H, or `end`, an instant"}"#,
            r#"{"error":"`8h` is not a duration such as PT8H, PT30M or P1D (months and years have no fixed length) (column 194)"}"#,
            r#"{"error":"the line is longer than 1048576 bytes"}"#,
            r#"{"due":"2012-05-03T07:46:25Z"}"#,
        ];
        check(&input.join("\n"), &expected, false);
    }

    #[test]
    fn a_line_in_no_encoding_is_an_error_like_any_other() {
        let mut output = Vec::new();
        assert!(!eval(&b"{\"calendar\":\"\xff\xfe\"}\n"[..], &mut output).expect("memory"));
        assert!(output.starts_with(b"{\"error\":"));
    }
}
