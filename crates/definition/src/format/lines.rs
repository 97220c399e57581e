//! What each line of a file is: where a key begins, where a text or a flow goes on, where only a comment
//! stands; and how far each is indented.

/// A line of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// Its text without the line break, and without blanks at its end unless they count.
    pub(super) text: String,
    /// The key that begins it, where one does.
    pub(super) key: Option<String>,
    /// How deep that key stands in block maps.
    pub(super) depth: usize,
    /// It belongs to a text, in which every blank counts.
    pub(super) verbatim: bool,
    /// It goes on with what a line before it began.
    pub(super) continues: bool,
    /// How many brackets are open where it begins.
    pub(super) open: usize,
    /// The quote that is open where it begins.
    pub(super) quote: Option<char>,
}

impl Line {
    pub(super) fn column(&self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    pub(super) fn is_comment(&self) -> bool {
        !self.verbatim && self.open == 0 && self.text.trim_start().starts_with('#')
    }
}

/// What is open at a place of a file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Open {
    /// The brackets of flow maps and lists.
    pub(super) brackets: usize,
    /// A quote.
    pub(super) quote: Option<char>,
}

/// A block of text under a key, which begins at this column or deeper.
struct Block {
    above: usize,
}

/// The lines of a text, told apart.
pub(super) fn split(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut open = Open::default();
    let mut block: Option<Block> = None;
    for raw in text.lines() {
        let column = raw.len() - raw.trim_start_matches(' ').len();
        let blank = raw.trim().is_empty();
        if block
            .as_ref()
            .is_some_and(|block| blank || column > block.above)
        {
            lines.push(Line {
                text: raw.to_owned(),
                verbatim: true,
                continues: true,
                ..Line::default()
            });
            continue;
        }
        block = None;
        let mut line = Line {
            open: open.brackets,
            quote: open.quote,
            continues: open.brackets > 0 || open.quote.is_some(),
            verbatim: open.quote.is_some(),
            ..Line::default()
        };
        let key = if line.continues { None } else { key_of(raw) };
        if let Some((key, value)) = key {
            line.key = Some(key.to_owned());
            open = scan(value, Open::default());
            if begins_block(value) {
                block = Some(Block { above: column });
            }
        } else if line.continues {
            open = scan(raw, open);
        } else if !raw.trim_start().starts_with('#') && !blank {
            // An item of a list, or a text that goes on.
            line.continues = true;
            open = scan(raw.trim_start().trim_start_matches("- "), Open::default());
        }
        raw.trim_end_matches(' ').clone_into(&mut line.text);
        if open.quote.is_some() {
            raw.clone_into(&mut line.text);
        }
        lines.push(line);
    }
    // Blank lines behind the last text of a file belong to nothing.
    if let Some(last) = lines.iter().rposition(|line| !line.text.trim().is_empty()) {
        lines.truncate(last + 1);
    }
    lines
}

/// The key that begins a line, and what stands behind its colon.
fn key_of(raw: &str) -> Option<(&str, &str)> {
    let text = raw.trim_start_matches(' ');
    if text.starts_with(['#', '-', '{', '[', '?', '|', '>']) {
        return None;
    }
    let end = match text.chars().next()? {
        quote @ ('"' | '\'') => 1 + text[1..].find(quote)? + 1,
        _ => text
            .match_indices(':')
            .map(|(at, _)| at)
            .find(|at| text[at + 1..].is_empty() || text[at + 1..].starts_with(' '))?,
    };
    let value = text[end..].trim_start().strip_prefix(':')?;
    (value.is_empty() || value.starts_with(' ')).then_some((&text[..end], value))
}

/// Whether a value is the header of a `|` or `>` block.
fn begins_block(value: &str) -> bool {
    value.trim_start().starts_with(['|', '>'])
}

/// What is open behind a part of a line. Brackets count where a value begins with one.
pub(super) fn scan(text: &str, before: Open) -> Open {
    let mut scanner = Scanner::new(before);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        scanner.feed(character, characters.peek().copied());
        if scanner.comment {
            break;
        }
    }
    scanner.open
}

/// Goes along a line, a character at a time, and knows what is open.
pub(super) struct Scanner {
    /// What is open behind the last character.
    pub(super) open: Open,
    /// Whether a comment has begun.
    pub(super) comment: bool,
    /// The last character that is no blank; none at the beginning of a value.
    last: Option<char>,
    /// Whether the last character was a blank, or none.
    spaced: bool,
    /// The next character is escaped.
    escaped: bool,
}

impl Scanner {
    pub(super) const fn new(before: Open) -> Self {
        Self {
            open: before,
            comment: false,
            // Within something that goes on, no value begins at once.
            last: if before.brackets > 0 { Some(',') } else { None },
            spaced: true,
            escaped: false,
        }
    }

    pub(super) fn feed(&mut self, character: char, next: Option<char>) {
        let (last, spaced) = (self.last, self.spaced);
        self.spaced = character == ' ';
        if self.escaped {
            self.escaped = false;
            return;
        }
        if let Some(quote) = self.open.quote {
            match character {
                '\\' if quote == '"' => self.escaped = true,
                '\'' if quote == '\'' && next == Some('\'') => self.escaped = true,
                _ if character == quote => {
                    self.open.quote = None;
                    self.last = Some(character);
                }
                _ => {}
            }
            return;
        }
        let flow = self.open.brackets > 0;
        let begins = match last {
            None => true,
            Some(last) => flow && "{[,:".contains(last),
        };
        match character {
            ' ' => return,
            '#' if spaced => self.comment = true,
            '"' | '\'' if begins => self.open.quote = Some(character),
            '{' | '[' if begins => self.open.brackets += 1,
            '}' | ']' if flow => self.open.brackets -= 1,
            _ => {}
        }
        self.last = Some(character);
    }
}

/// Indents every line by two spaces a level, what goes on as far from its key as before.
pub(super) fn indent(lines: &mut [Line]) {
    // The columns of the maps that are open, and where their keys go.
    let mut levels: Vec<usize> = Vec::new();
    let mut moved: Vec<Option<(usize, usize)>> = vec![None; lines.len()];
    let mut last = (0, 0);
    for index in 0..lines.len() {
        let line = &lines[index];
        if line.text.starts_with("---") {
            levels.clear();
            last = (0, 0);
        }
        if line.key.is_some() {
            let column = line.column();
            while levels.last().is_some_and(|level| *level > column) {
                levels.pop();
            }
            if levels.last() != Some(&column) {
                levels.push(column);
            }
            lines[index].depth = levels.len() - 1;
            last = (column, 2 * (levels.len() - 1));
            moved[index] = Some(last);
        } else if lines[index].continues {
            moved[index] = Some(last);
        }
    }
    // A comment goes with the key below it where it stands as deep, else with what is above.
    let mut below: Option<(usize, usize)> = None;
    let mut above: Vec<(usize, usize)> = vec![(0, 0); lines.len()];
    let mut last = (0, 0);
    for (index, place) in moved.iter().enumerate() {
        last = place.unwrap_or(last);
        above[index] = last;
    }
    for index in (0..lines.len()).rev() {
        if lines[index].is_comment() {
            let column = lines[index].column();
            let with = below.filter(|(from, _)| column == *from);
            moved[index] = Some(with.unwrap_or(above[index]));
        } else if lines[index].key.is_some() {
            below = moved[index];
        }
    }
    for (line, place) in lines.iter_mut().zip(moved) {
        let (Some((from, to)), false) = (place, line.quote.is_some()) else {
            continue;
        };
        shift(line, from, to);
    }
}

fn shift(line: &mut Line, from: usize, to: usize) {
    if line.text.trim().is_empty() {
        return;
    }
    let column = line.column();
    let rest = &line.text[column..];
    let column = (column + to).saturating_sub(from);
    line.text = format!("{}{rest}", " ".repeat(column));
}
