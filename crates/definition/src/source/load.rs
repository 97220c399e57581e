//! Reads a file into trees, one per document, holding it to the strict part of YAML.
//!
//! Refused are anchors, aliases, tags, merge keys, directives, duplicate keys, keys that are no
//! text, values left empty, tabs and other control characters, and everything past the bounds.
//! After a fault that leaves the structure clear, reading goes on to find the others.

use granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, StrInput};

use super::scalar::classify;
use super::{Diagnostic, Diagnostics, Entry, FileId, Kind, Map, Node, Sources, Span, Style};

/// How deep maps and lists may nest.
pub const MAX_DEPTH: usize = 32;
/// How long a file may be.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// How many keys and values a file may hold.
pub const MAX_NODES: usize = 100_000;

/// Reads the documents of a file. Where something is wrong it is added to `diagnostics`, and
/// nothing is given.
pub fn load(sources: &Sources, file: FileId, diagnostics: &mut Diagnostics) -> Option<Vec<Node>> {
    let mut found = Diagnostics::new();
    let documents = match check_text(sources, file) {
        Ok(()) => documents(sources, file, &mut found),
        Err(diagnostic) => {
            found.push(diagnostic);
            Vec::new()
        }
    };
    let sound = found.is_empty();
    diagnostics.append(found);
    sound.then_some(documents)
}

/// The length and the characters of a file, before it is parsed.
fn check_text(sources: &Sources, file: FileId) -> Result<(), Diagnostic> {
    let text = &sources.file(file).text;
    if text.len() > MAX_FILE_BYTES {
        let message = format!(
            "the file has {} bytes; {MAX_FILE_BYTES} is the most",
            text.len()
        );
        return Err(Diagnostic::of_file(
            &sources.file(file).path,
            "too-large",
            message,
        ));
    }
    let (mut line, mut column) = (1, 1);
    let mut characters = text.char_indices().peekable();
    while let Some((start, character)) = characters.next() {
        let width = character.len_utf8();
        let span = Span {
            file,
            line,
            column,
            start: offset(start),
            end: offset(start + width),
        };
        let ends_line =
            character == '\r' && characters.peek().is_some_and(|(_, next)| *next == '\n');
        match character {
            '\n' => (line, column) = (line + 1, 0),
            '\t' => {
                return Err(sources
                    .error(span, "tab", "a tab")
                    .help("indent with spaces; within double quotes write `\\t`"));
            }
            '\u{feff}' if start == 0 => {}
            '\u{feff}' | '\u{2028}' | '\u{2029}' => {
                return Err(unprintable(sources, span, character));
            }
            _ if character.is_control() && !ends_line => {
                return Err(unprintable(sources, span, character));
            }
            _ => {}
        }
        column += 1;
    }
    Ok(())
}

fn unprintable(sources: &Sources, span: Span, character: char) -> Diagnostic {
    let message = format!(
        "the character U+{:04X}, which is not text",
        u32::from(character)
    );
    let help = format!(
        "take it out; within double quotes it can be written `\\u{:04X}`",
        u32::from(character)
    );
    sources.error(span, "control-character", message).help(help)
}

fn documents(sources: &Sources, file: FileId, diagnostics: &mut Diagnostics) -> Vec<Node> {
    let text = sources.file(file).text.clone();
    let mut options = granit_parser::options! {
        strict_indentation: true,
        disallow_directives: true,
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH + 2,
        block_nesting_limit: MAX_DEPTH + 2,
    };
    options.set_emit_comments(false);
    let parser = Parser::new_from_str_with_options(&text, options);
    let mut loader = Loader {
        parser,
        file,
        sources,
        diagnostics,
        nodes: 0,
    };
    match loader.stream() {
        Ok(documents) => documents,
        Err(Stop(diagnostic)) => {
            loader.diagnostics.push(diagnostic);
            Vec::new()
        }
    }
}

struct Loader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    file: FileId,
    sources: &'a Sources,
    diagnostics: &'a mut Diagnostics,
    nodes: usize,
}

/// A fault after which the rest of the file says nothing reliable.
struct Stop(Diagnostic);

impl<'a> Loader<'a> {
    fn stream(&mut self) -> Result<Vec<Node>, Stop> {
        let mut documents = Vec::new();
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(documents),
                (Event::DocumentStart(..), span) => {
                    let (event, node_span) = self.next()?;
                    if is_empty(&event, node_span) {
                        self.report(self.sources.error(
                            span,
                            "empty-document",
                            "an empty document",
                        ));
                    } else {
                        documents.push(self.node(event, node_span, 0)?);
                    }
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Stop> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.span(span.start, span.end))),
            Some(Err(error)) => Err(Stop(self.syntax(&error))),
            None => Ok((Event::StreamEnd, Span::start_of(self.file))),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Stop> {
        self.count(span)?;
        self.refuse_properties(&event, span);
        let kind = match event {
            Event::Scalar(text, style, ..) => self.scalar(&text, style, span),
            Event::SequenceStart(..) => return self.list(span, depth + 1),
            Event::MappingStart(..) => return self.map(span, depth + 1),
            _ => Kind::Null,
        };
        Ok(Node { span, kind })
    }

    fn list(&mut self, mut span: Span, depth: usize) -> Result<Node, Stop> {
        self.check_depth(span, depth)?;
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, end) => {
                    span.end = end.end;
                    return Ok(Node {
                        span,
                        kind: Kind::List(items),
                    });
                }
                (event, item) => {
                    if is_empty(&event, item) {
                        self.empty_value(item, "the list has an empty item");
                    }
                    items.push(self.node(event, item, depth)?);
                }
            }
        }
    }

    fn map(&mut self, mut span: Span, depth: usize) -> Result<Node, Stop> {
        self.check_depth(span, depth)?;
        let mut map = Map::new();
        loop {
            let (event, key_span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                span.end = key_span.end;
                return Ok(Node {
                    span,
                    kind: Kind::Map(map),
                });
            }
            let key = self.key(event, key_span, depth)?;
            let (event, value_span) = self.next()?;
            if is_empty(&event, value_span) {
                let name = key.as_deref().unwrap_or("?");
                self.empty_value(key_span, &format!("`{name}` has no value"));
            }
            let value = self.node(event, value_span, depth)?;
            let Some(key) = key else { continue };
            if let Some(first) = map.get(&key) {
                let first = self.sources.place(first.key);
                let message = format!("`{key}` stands here twice, first at {first}");
                self.report(self.sources.error(key_span, "duplicate-key", message));
            } else {
                map.insert(
                    key,
                    Entry {
                        key: key_span,
                        value,
                    },
                );
            }
        }
    }

    /// The text of a key; none where it is not a usable one, which is then reported.
    fn key(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Option<String>, Stop> {
        let message = match &event {
            Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<" => {
                "merge keys are not part of the language"
            }
            _ if is_empty(&event, span) => "a key is missing",
            Event::Scalar(text, ScalarStyle::Plain, ..) => match classify(text) {
                Ok(Kind::Text { .. }) => "",
                Ok(_) => "a key must be text",
                Err(ambiguous) => {
                    let message = format!("the key {}", ambiguous.message);
                    let help = format!("put it in quotes: \"{text}\"");
                    self.report(
                        self.sources
                            .error(span, "ambiguous-key", message)
                            .help(help),
                    );
                    ""
                }
            },
            Event::Scalar(..) => "",
            _ => "a key must be text",
        };
        if !message.is_empty() {
            let mut diagnostic = self.sources.error(span, "key", message);
            match &event {
                Event::Scalar(text, ..) if text == "<<" => {
                    diagnostic = diagnostic.help("write out what it stands for, or put shared parts into the pack that is extended");
                }
                Event::Scalar(text, ..) if span.start < span.end => {
                    diagnostic = diagnostic.help(format!("put it in quotes: \"{text}\""));
                }
                _ => {}
            }
            self.report(diagnostic);
            self.skip(event, span, depth)?;
            return Ok(None);
        }
        self.count(span)?;
        self.refuse_properties(&event, span);
        Ok(event.scalar().map(|(text, _)| text.to_owned()))
    }

    /// Reads over a key that is a map or a list.
    fn skip(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<(), Stop> {
        if matches!(event, Event::SequenceStart(..) | Event::MappingStart(..)) {
            self.node(event, span, depth)?;
        }
        Ok(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) -> Kind {
        let style = match style {
            ScalarStyle::Plain if span.start == span.end => return Kind::Null,
            ScalarStyle::Plain => {
                return classify(text).unwrap_or_else(|ambiguous| {
                    let diagnostic = self
                        .sources
                        .error(span, "ambiguous-value", ambiguous.message);
                    self.report(diagnostic.help(ambiguous.help));
                    Kind::Null
                });
            }
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        Kind::Text {
            value: text.to_owned(),
            style,
        }
    }

    fn refuse_properties(&mut self, event: &Event<'a>, span: Span) {
        if matches!(event, Event::Alias(_) | Event::UnresolvedAlias(_)) {
            self.report(self.sources.error(span, "alias", "aliases are not part of the language").help(
                "write out what it stands for, or put it in quotes if a text beginning with `*` is meant",
            ));
        }
        if event.anchor_id().is_some_and(|id| id > 0) {
            let message = "anchors are not part of the language";
            self.report(
                self.sources
                    .error(span, "anchor", message)
                    .help("take the `&name` out"),
            );
        }
        if let Some(tag) = event.tag() {
            let message = format!(
                "the tag `{}`: tags are not part of the language",
                tag.original()
            );
            self.report(
                self.sources
                    .error(span, "tag", message)
                    .help("take it out, or put a text beginning with `!` in quotes"),
            );
        }
    }

    fn empty_value(&mut self, span: Span, message: &str) {
        let before = self
            .sources
            .file(self.file)
            .text
            .get(..span.start as usize)
            .unwrap_or_default();
        let help = if before.trim_end_matches(' ').ends_with(',') {
            "a text with a comma wants quotes within brackets; `{}` is the empty map"
        } else {
            "`null` removes, `{}` is the empty map, \"\" is the empty text"
        };
        let diagnostic = self.sources.error(span, "empty-value", message);
        self.report(diagnostic.help(help));
    }

    fn check_depth(&self, span: Span, depth: usize) -> Result<(), Stop> {
        if depth <= MAX_DEPTH {
            Ok(())
        } else {
            Err(Stop(self.too_deep(span)))
        }
    }

    fn too_deep(&self, span: Span) -> Diagnostic {
        self.sources.error(
            span,
            "too-deep",
            format!("maps and lists nest deeper than {MAX_DEPTH}"),
        )
    }

    fn count(&mut self, span: Span) -> Result<(), Stop> {
        self.nodes += 1;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let message = format!("the file holds more than {MAX_NODES} keys and values");
        Err(Stop(self.sources.error(span, "too-large", message)))
    }

    fn syntax(&self, error: &ScanError) -> Diagnostic {
        let span = self.span(*error.marker(), *error.marker());
        if *error.kind() == ErrorKind::RecursionLimitExceeded {
            return self.too_deep(span);
        }
        let diagnostic = self.sources.error(span, "syntax", error.info());
        match error.kind() {
            ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => diagnostic.help(
                "a line within a map reads `key: value`; is a `:` or a blank after it missing?",
            ),
            ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockMappingKey => diagnostic.help(
                "keys of one map stand in one column; is a quote or a bracket above not closed?",
            ),
            ErrorKind::UnclosedQuotedScalar => {
                diagnostic.help("the text that begins here has no closing quote")
            }
            ErrorKind::UnclosedFlowCollection { open } => {
                diagnostic.help(format!("a `{open}` is open: is a closing bracket missing?"))
            }
            _ => diagnostic,
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn span(&self, start: Marker, end: Marker) -> Span {
        Span {
            file: self.file,
            line: offset(start.line().max(1)),
            column: offset(start.col() + 1),
            start: offset(start.byte_offset().unwrap_or_default()),
            end: offset(end.byte_offset().unwrap_or_default()),
        }
    }
}

/// Whether nothing was written: the parser then gives a `~` that is nowhere in the text.
fn is_empty(event: &Event<'_>, span: Span) -> bool {
    matches!(event, Event::Scalar(_, ScalarStyle::Plain, ..)) && span.start == span.end
}

fn offset(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
