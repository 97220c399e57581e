//! Reads an event log: CSV, compressed with gzip or not, one row per event, turned into events by a
//! [`Mapping`]. A log in order of time is read in one pass; one in order of cases is sorted first.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::{ReaderBuilder, StringRecord};
use flate2::bufread::MultiGzDecoder;
use model::Instant;
use model::id::{PersonId, StateId};
use serde_json::Value as Json;
use thiserror::Error;

use super::mapping::{Field, Kind, Mapping, Order, When};

/// The most bytes of a log that are read, after decompression.
const MAX_BYTES: u64 = 64 << 30;
/// The longest cell, in bytes.
const MAX_CELL: usize = 64 << 10;
/// The most events of a log that has to be sorted.
const MAX_SORTED: usize = 10_000_000;
/// What a gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Why a log cannot be read.
#[derive(Debug, Error)]
pub enum LogError {
    /// The file cannot be opened.
    #[error("cannot read the log {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not CSV, not UTF-8, or broken.
    #[error("the log is not readable as CSV")]
    Csv(#[source] csv::Error),
    /// The mapping names a column that the log does not have.
    #[error("the log has no column `{column}`{}; its columns are {}", suggested(.suggestion.as_ref()), .columns.join(", "))]
    NoColumn {
        /// The column.
        column: String,
        /// One whose name is nearly the same.
        suggestion: Option<String>,
        /// The columns that there are.
        columns: Vec<String>,
    },
    /// A row does not say what the mapping expects.
    #[error("row {row} of the log: {what}")]
    Row {
        /// Its number; the header is row 1.
        row: u64,
        /// What is wrong.
        what: String,
    },
    /// A log to be sorted is too long.
    #[error(
        "the log has more than {MAX_SORTED} events, too many to put in order; sort it by time and say `order: by-time`"
    )]
    TooLong,
}

fn suggested(suggestion: Option<&String>) -> String {
    suggestion
        .map(|name| format!(" (did you mean `{name}`?)"))
        .unwrap_or_default()
}

/// One row of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its number; the header is row 1.
    pub row: u64,
    /// The case.
    pub case: String,
    /// When it happened.
    pub time: Instant,
    /// The state that it led to.
    pub state: StateId,
    /// Who acted.
    pub actor: PersonId,
    /// What it says of the mapping's fields, in their order; null where it says nothing.
    pub values: Vec<Json>,
}

/// The events of a log, in the order in which they are to be replayed.
pub struct Events<'m> {
    source: Source<'m>,
}

enum Source<'m> {
    Passing { rows: Box<Rows<'m>>, last: Instant },
    Sorted(std::vec::IntoIter<Event>),
}

impl<'m> Events<'m> {
    /// Opens a log. `progress` counts the bytes of the file that have been read.
    ///
    /// # Errors
    /// Where the file cannot be read, lacks a column, or has to be sorted and is too long or has a
    /// row that makes no sense.
    pub fn open(
        path: &Path,
        mapping: &'m Mapping,
        progress: Arc<AtomicU64>,
    ) -> Result<Self, LogError> {
        let open = |source| LogError::Open {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(open)?;
        let mut start = BufReader::with_capacity(
            1 << 16,
            Counted {
                inner: file,
                count: progress,
            },
        );
        let compressed = std::io::BufRead::fill_buf(&mut start)
            .map_err(open)?
            .starts_with(&GZIP);
        let bytes: Box<dyn Read> = if compressed {
            Box::new(MultiGzDecoder::new(start))
        } else {
            Box::new(start)
        };
        Self::from_reader(bytes, mapping)
    }

    /// Reads a log from bytes that are not compressed.
    pub fn from_reader(bytes: Box<dyn Read>, mapping: &'m Mapping) -> Result<Self, LogError> {
        let rows = Rows::new(bytes, mapping)?;
        let source = match mapping.log.order {
            Order::ByTime => Source::Passing {
                rows: Box::new(rows),
                last: Instant::from_millis(i64::MIN),
            },
            Order::ByCase => Source::Sorted(sorted(rows)?.into_iter()),
        };
        Ok(Self { source })
    }
}

impl Iterator for Events<'_> {
    type Item = Result<Event, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.source {
            Source::Sorted(events) => events.next().map(Ok),
            Source::Passing { rows, last } => {
                let event = rows.next()?;
                if let Ok(event) = &event {
                    if event.time < *last {
                        return Some(Err(LogError::Row {
                            row: event.row,
                            what: format!(
                                "{} is earlier than the row before it; if the log is in order within each case only, say `log: {{ order: by-case }}`",
                                event.time
                            ),
                        }));
                    }
                    *last = event.time;
                }
                Some(event)
            }
        }
    }
}

/// All events by time; those of one instant, and those of one case, in the order of the file.
fn sorted(rows: Rows<'_>) -> Result<Vec<Event>, LogError> {
    let mut events = Vec::new();
    let mut latest: HashMap<String, Instant> = HashMap::new();
    for event in rows {
        let mut event = event?;
        let last = latest.entry(event.case.clone()).or_insert(event.time);
        event.time = event.time.max(*last);
        *last = event.time;
        events.push(event);
        if events.len() > MAX_SORTED {
            return Err(LogError::TooLong);
        }
    }
    events.sort_by_key(|event| event.time);
    Ok(events)
}

/// The rows of the file as events, in its own order.
struct Rows<'m> {
    csv: csv::Reader<std::io::Take<Box<dyn Read>>>,
    mapping: &'m Mapping,
    record: StringRecord,
    case: usize,
    time: usize,
    state: Vec<usize>,
    actor: Option<usize>,
    fields: Vec<Cells>,
}

/// Where the cells of a field stand.
enum Cells {
    None,
    One(usize),
    Text(Vec<Piece>),
}

enum Piece {
    Words(String),
    Cell(usize),
}

impl<'m> Rows<'m> {
    fn new(bytes: Box<dyn Read>, mapping: &'m Mapping) -> Result<Self, LogError> {
        let mut csv = ReaderBuilder::new()
            .delimiter(u8::try_from(mapping.log.delimiter).unwrap_or(b','))
            .from_reader(bytes.take(MAX_BYTES));
        let header = csv.headers().map_err(LogError::Csv)?.clone();
        let find = |column: &str| position(&header, column);
        let fields = mapping
            .fields
            .values()
            .map(|field| cells(field, &find))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            case: find(&mapping.case.column)?,
            time: find(&mapping.time.column)?,
            state: mapping
                .state
                .columns
                .iter()
                .map(|column| find(column))
                .collect::<Result<_, _>>()?,
            actor: mapping.actor.column.as_deref().map(find).transpose()?,
            fields,
            csv,
            mapping,
            record: StringRecord::new(),
        })
    }

    fn row(&self) -> u64 {
        self.record
            .position()
            .map_or(0, |position| position.record() + 1)
    }

    fn event(&self) -> Result<Event, String> {
        let cell = |column: usize| self.record.get(column).unwrap_or_default();
        if let Some(long) = self.record.iter().find(|cell| cell.len() > MAX_CELL) {
            return Err(format!(
                "a cell of {} bytes; at most {MAX_CELL} are allowed",
                long.len()
            ));
        }
        let case = cell(self.case).trim();
        if case.is_empty() || self.mapping.log.missing.contains(case) {
            return Err(format!("no case in column `{}`", self.mapping.case.column));
        }
        let time = cell(self.time);
        let time = self.mapping.time.parse(time.trim()).ok_or_else(|| {
            let format = self.mapping.time.format.as_deref().unwrap_or("RFC 3339");
            format!(
                "`{time}` in column `{}` is not a time in the format {format}",
                self.mapping.time.column
            )
        })?;
        let values = self.mapping.fields.iter().zip(&self.fields);
        let values = values
            .map(|((id, field), cells)| {
                self.value(field, cells)
                    .map_err(|what| format!("field `{id}`: {what}"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Event {
            row: self.row(),
            case: case.to_owned(),
            time,
            state: self.state()?,
            actor: self.actor()?,
            values,
        })
    }

    fn state(&self) -> Result<StateId, String> {
        let cells: Vec<&str> = self
            .state
            .iter()
            .map(|column| self.record[*column].trim())
            .collect();
        let text = cells.join(&self.mapping.state.join);
        self.mapping
            .state
            .values
            .get(&text)
            .cloned()
            .ok_or_else(|| {
                let near = nearest(&text, self.mapping.state.values.keys());
                format!(
                    "`{text}` is not among the values of `state`{}",
                    suggested(near.as_ref())
                )
            })
    }

    fn actor(&self) -> Result<PersonId, String> {
        let actor = &self.mapping.actor;
        let cell = self.actor.map(|column| self.record[column].trim());
        match cell.and_then(|cell| self.said(cell, &actor.missing)) {
            Some(cell) => PersonId::new(cell).map_err(|error| error.to_string()),
            None => Ok(actor.otherwise.clone()),
        }
    }

    fn value(&self, field: &Field, cells: &Cells) -> Result<Json, String> {
        match cells {
            Cells::None => Ok(field.value.clone().unwrap_or_default()),
            Cells::Text(pieces) => {
                let text = pieces.iter().map(|piece| match piece {
                    Piece::Words(words) => words.as_str(),
                    Piece::Cell(column) => self.record[*column].trim(),
                });
                Ok(Json::String(text.collect()))
            }
            Cells::One(column) => {
                let Some(cell) = self.said(self.record[*column].trim(), &field.missing) else {
                    return Ok(Json::Null);
                };
                if !field.values.is_empty() {
                    let meant = field.values.get(cell).or(field.otherwise.as_ref());
                    return meant.cloned().ok_or_else(|| {
                        let near = nearest(cell, field.values.keys());
                        format!(
                            "`{cell}` is not among its values{}",
                            suggested(near.as_ref())
                        )
                    });
                }
                self.typed(cell, field.kind)
            }
        }
    }

    fn typed(&self, cell: &str, kind: Kind) -> Result<Json, String> {
        match kind {
            Kind::Text => Ok(Json::String(cell.to_owned())),
            Kind::Integer => cell
                .parse::<i64>()
                .map(Json::from)
                .map_err(|_| format!("`{cell}` is not a whole number")),
            Kind::Number => {
                let number = cell.parse().ok().and_then(serde_json::Number::from_f64);
                number
                    .map(Json::Number)
                    .ok_or_else(|| format!("`{cell}` is not a number"))
            }
            Kind::Time => {
                let time = self
                    .mapping
                    .time
                    .parse(cell)
                    .ok_or_else(|| format!("`{cell}` is not a time"))?;
                Ok(Json::String(time.to_string()))
            }
        }
    }

    /// The cell, unless it is one of those that say nothing.
    fn said<'c>(&self, cell: &'c str, missing: &BTreeSet<String>) -> Option<&'c str> {
        let nothing =
            cell.is_empty() || self.mapping.log.missing.contains(cell) || missing.contains(cell);
        (!nothing).then_some(cell)
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Event, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.csv.read_record(&mut self.record) {
            Ok(false) => None,
            Ok(true) => Some(self.event().map_err(|what| LogError::Row {
                row: self.row(),
                what,
            })),
            Err(error) => Some(Err(LogError::Csv(error))),
        }
    }
}

fn position(header: &StringRecord, column: &str) -> Result<usize, LogError> {
    header
        .iter()
        .position(|name| name.trim() == column)
        .ok_or_else(|| LogError::NoColumn {
            column: column.to_owned(),
            suggestion: nearest(column, header.iter().map(str::trim)),
            columns: header
                .iter()
                .take(60)
                .map(|name| name.chars().take(60).collect())
                .collect(),
        })
}

fn cells(
    field: &Field,
    find: &impl Fn(&str) -> Result<usize, LogError>,
) -> Result<Cells, LogError> {
    if let Some(column) = &field.column {
        return find(column).map(Cells::One);
    }
    let Some(mut text) = field.text.as_deref() else {
        return Ok(Cells::None);
    };
    let mut pieces = Vec::new();
    while let Some((before, after)) = text.split_once('{') {
        let Some((column, rest)) = after.split_once('}') else {
            break;
        };
        pieces.push(Piece::Words(before.to_owned()));
        pieces.push(Piece::Cell(find(column)?));
        text = rest;
    }
    pieces.push(Piece::Words(text.to_owned()));
    Ok(Cells::Text(pieces))
}

fn nearest<T: AsRef<str>>(text: &str, among: impl Iterator<Item = T>) -> Option<String> {
    among
        .map(|name| (strsim::damerau_levenshtein(text, name.as_ref()), name))
        .filter(|(distance, _)| *distance <= 2)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name.as_ref().to_owned())
}

/// Counts what passes through it.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Event {
    /// What it says of fields, as the input of the first step of its case or of a later one.
    pub fn fields<'e>(
        &'e self,
        mapping: &'e Mapping,
        first: bool,
    ) -> impl Iterator<Item = (&'e str, &'e Json)> {
        mapping
            .fields
            .iter()
            .zip(&self.values)
            .filter_map(move |((id, field), value)| {
                let said = match field.when {
                    When::Always => true,
                    When::Begin => first,
                    When::Change => !first,
                };
                said.then_some((id.as_str(), value))
            })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;

    use expect_test::{Expect, expect};

    use super::{Event, Events, Mapping};
    use crate::replay::mapping::SMALL;

    fn read(mapping: &str, log: &'static str) -> Result<Vec<Event>, String> {
        let mapping = Mapping::parse(mapping, Path::new("m.yaml")).expect("a mapping");
        let events = Events::from_reader(Box::new(log.as_bytes()), &mapping)
            .map_err(|error| error.to_string())?;
        events
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "an expectation reads best where it is made"
    )]
    fn check(mapping: &str, log: &'static str, expected: Expect) {
        let shown = match read(mapping, log) {
            Err(error) => error,
            Ok(events) => {
                let line = |event: &Event| {
                    let values = serde_json::to_string(&event.values).expect("JSON");
                    format!(
                        "{} {} {} {} {} {values}\n",
                        event.row, event.case, event.time, event.state, event.actor
                    )
                };
                events.iter().map(line).collect()
            }
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn rows_become_events() {
        check(
            SMALL,
            "number,at,status,detail,who,impact\n\
             7,2012-05-01T10:00:00+02:00,Open,New,Ada,High\n\
             7,2012-05-01T08:30:00Z,Done,Fixed,-,\"Low\"\n",
            expect![[r#"
                2 7 2012-05-01T08:00:00Z new Ada ["high","Case 7"]
                3 7 2012-05-01T08:30:00Z done unknown ["low","Case 7"]
            "#]],
        );
    }

    #[test]
    fn a_log_by_case_is_put_in_order_without_turning_a_case_back() {
        let mapping = SMALL.replace("case:", "log: { order: by-case, missing: ['?'] }\ncase:");
        check(
            &mapping,
            "number,at,status,detail,who,impact\r\n\
             7,2012-05-01T10:00:00Z,Open,New,?,?\r\n\
             7,2012-05-01T09:00:00Z,Done,Fixed,Ada,Low\r\n\
             8,2012-05-01T09:30:00Z,Open,New,Bob,Low\r\n",
            expect![[r#"
                4 8 2012-05-01T09:30:00Z new Bob ["low","Case 8"]
                2 7 2012-05-01T10:00:00Z new unknown [null,"Case 7"]
                3 7 2012-05-01T10:00:00Z done Ada ["low","Case 7"]
            "#]],
        );
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_row() {
        for (log, expected) in [
            (
                "number,at,status,details,who,impact\n",
                expect![
                    "the log has no column `detail` (did you mean `details`?); its columns are number, at, status, details, who, impact"
                ],
            ),
            (
                "number,at,status,detail,who,impact\n7,yesterday,Open,New,Ada,High\n",
                expect![
                    "row 2 of the log: `yesterday` in column `at` is not a time in the format RFC 3339"
                ],
            ),
            (
                "number,at,status,detail,who,impact\n7,2012-05-01T10:00:00Z,Open,Now,Ada,High\n",
                expect![
                    "row 2 of the log: `Open/Now` is not among the values of `state` (did you mean `Open/New`?)"
                ],
            ),
            (
                "number,at,status,detail,who,impact\n7,2012-05-01T10:00:00Z,Open,New,Ada,Hihg\n",
                expect![
                    "row 2 of the log: field `impact`: `Hihg` is not among its values (did you mean `High`?)"
                ],
            ),
            (
                "number,at,status,detail,who,impact\n,2012-05-01T10:00:00Z,Open,New,Ada,High\n",
                expect!["row 2 of the log: no case in column `number`"],
            ),
            (
                "number,at,status,detail,who,impact\n7,2012-05-01T10:00:00Z,Open,New,Ada,High\n\
                 7,2012-05-01T09:00:00Z,Done,Fixed,Ada,High\n",
                expect![
                    "row 3 of the log: 2012-05-01T09:00:00Z is earlier than the row before it; if the log is in order within each case only, say `log: { order: by-case }`"
                ],
            ),
        ] {
            check(SMALL, log, expected);
        }
    }

    #[test]
    fn a_compressed_log_reads_like_a_plain_one() {
        let text = "number,at,status,detail,who,impact\n7,2012-05-01T10:00:00Z,Open,New,Ada,High\n";
        let folder = tempfile::tempdir().expect("a folder");
        let [plain, compressed] = ["a.csv", "a.csv.gz"].map(|name| folder.path().join(name));
        std::fs::write(&plain, text).expect("written");
        let mut encoder = flate2::write::GzEncoder::new(
            std::fs::File::create(&compressed).expect("made"),
            flate2::Compression::fast(),
        );
        encoder.write_all(text.as_bytes()).expect("written");
        encoder.finish().expect("finished");

        let mapping = Mapping::parse(SMALL, Path::new("m.yaml")).expect("a mapping");
        let read = |path: &Path| {
            let progress = Arc::new(AtomicU64::new(0));
            let events: Vec<_> = Events::open(path, &mapping, progress.clone())
                .expect("opened")
                .map(|event| event.expect("an event"))
                .collect();
            assert_eq!(
                progress.load(std::sync::atomic::Ordering::Relaxed),
                path.metadata().expect("there").len()
            );
            events
        };
        assert_eq!(read(&plain), read(&compressed));
    }

    #[test]
    fn both_mappings_read_the_whole_log_of_the_example() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let log = root.join("../shared/data/volvo-incidents.csv.gz");
        if !log.exists() {
            eprintln!("skipped: {} is not there", log.display());
            return;
        }
        for name in ["mapping-24x7.yaml", "mapping-office.yaml"] {
            let mapping =
                Mapping::read(&root.join("examples/volvo").join(name)).expect("a mapping");
            let mut cases = std::collections::BTreeSet::new();
            let mut count = 0;
            for event in Events::open(&log, &mapping, Arc::default()).expect("opened") {
                cases.insert(event.expect("an event").case);
                count += 1;
            }
            assert_eq!((count, cases.len()), (65_533, 7_554));
        }
    }
}
