//! Blanks within maps and lists between brackets, and around comments.

use super::lines::{Line, Open, Scanner};

/// Spaces the brackets, commas and comments of every line.
pub(super) fn space(lines: &mut [Line]) {
    for line in lines {
        if line.verbatim && line.quote.is_none() {
            continue;
        }
        if line.is_comment() {
            let column = line.column();
            line.text = format!("{}{}", " ".repeat(column), comment(&line.text[column..]));
            continue;
        }
        let before = Open {
            brackets: line.open,
            quote: line.quote,
        };
        // Up to the value the line is not a flow.
        let start = match &line.key {
            Some(key) => line.column() + key.len(),
            None if line.continues && line.open == 0 && line.quote.is_none() => {
                let column = line.column();
                column
                    + if line.text[column..].starts_with("- ") {
                        2
                    } else {
                        0
                    }
            }
            None => 0,
        };
        let start = match (&line.key, line.text[start..].find(':')) {
            (Some(_), Some(colon)) => start + colon + 1,
            _ => start,
        };
        let (head, rest) = line.text.split_at(start);
        line.text = format!("{head}{}", spaced(rest, before));
    }
}

/// A comment with a blank behind its `#`.
fn comment(text: &str) -> String {
    let marks = text.len() - text.trim_start_matches('#').len();
    let (marks, said) = text.split_at(marks);
    if said.is_empty() || said.starts_with([' ', '!']) {
        return text.to_owned();
    }
    format!("{marks} {said}")
}

fn spaced(text: &str, before: Open) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut scanner = Scanner::new(before);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let (this, behind) = rest.split_at(character.len_utf8());
        let was = scanner.open;
        scanner.feed(character, behind.chars().next());
        let open = scanner.open;
        if scanner.comment {
            before_comment(&mut out);
            out.push_str(&comment(rest));
            return out;
        }
        rest = behind;
        if was.quote.is_some() || was.brackets == 0 && open.brackets == 0 {
            out.push_str(this);
        } else if open.brackets > was.brackets {
            rest = opened(&mut out, character, behind, &mut scanner);
        } else if open.brackets < was.brackets {
            closed(&mut out, character);
        } else if character == ',' {
            trim(&mut out);
            out.push(',');
            if !behind.is_empty() && !behind.starts_with(' ') {
                out.push(' ');
            }
        } else {
            out.push_str(this);
        }
    }
    out
}

/// Two blanks before a comment behind something; more stay, for they line comments up.
fn before_comment(out: &mut String) {
    let said = out.trim_end_matches(' ').len();
    if said > 0 && out.len() - said < 2 {
        out.truncate(said);
        out.push_str("  ");
    }
}

/// Writes an opening bracket; gives what stands behind it and its blanks.
fn opened<'t>(out: &mut String, bracket: char, behind: &'t str, scanner: &mut Scanner) -> &'t str {
    if !(out.is_empty() || out.ends_with([' ', '{', '['])) {
        out.push(' ');
    }
    out.push(bracket);
    let inside = behind.trim_start_matches(' ');
    if inside.is_empty() || inside.starts_with('#') {
        return behind;
    }
    if inside.len() < behind.len() {
        scanner.feed(' ', inside.chars().next());
    }
    if bracket == '{' && !inside.starts_with('}') {
        out.push(' ');
    }
    inside
}

/// Writes a closing bracket, which stands alone where it begins its line.
fn closed(out: &mut String, bracket: char) {
    if out.trim_end_matches(' ').is_empty() {
        out.push(bracket);
        return;
    }
    trim(out);
    if bracket == '}' && !out.ends_with('{') {
        out.push(' ');
    }
    out.push(bracket);
}

/// Takes the blanks at the end away, but not those that a line begins with.
fn trim(out: &mut String) {
    let said = out.trim_end_matches(' ').len();
    if said > 0 {
        out.truncate(said);
    }
}
