//! The parser's work, and its complaints in words that help.

use std::panic::catch_unwind;

use cel::{ParseError, Program};

use super::error::{ExpressionError, Problem};
use super::evaluate::panic_text;

/// Parses a text that the scan has let through.
pub(super) fn parse(source: &str) -> Result<Program, ExpressionError> {
    // No text is known to make the parser panic; should one, it is refused like any other.
    match catch_unwind(|| Program::compile(source)) {
        Ok(Ok(program)) => Ok(program),
        Ok(Err(errors)) => Err(errors.errors.first().map_or_else(
            || Problem::Syntax("this is not CEL".into()).at(0, source.len()),
            |error| explain(source, error),
        )),
        Err(payload) => {
            let reason = panic_text(&*payload);
            Err(Problem::Syntax(format!("the parser failed: {reason}")).at(0, source.len()))
        }
    }
}

fn explain(source: &str, error: &ParseError) -> ExpressionError {
    let offset = offset(source, error.pos);
    let rest = &source[offset..];
    let word = rest
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .count();
    let length = if word > 0 {
        word
    } else {
        rest.chars().next().map_or(0, char::len_utf8)
    };
    let token = &rest[..length];
    let message = match (token, error.msg.strip_prefix("Syntax error: ")) {
        ("and", _) => "write `&&` for and".to_owned(),
        ("or", _) => "write `||` for or".to_owned(),
        ("not", _) => "write `!` for not".to_owned(),
        _ if before(source, offset) == Some("not") => "write `!` for not".to_owned(),
        ("", Some(_)) => "the expression ends where more should follow".to_owned(),
        (token, Some(_)) => format!("`{token}` does not fit here"),
        (token, None) if error.msg.starts_with("reserved identifier") => {
            format!("`{token}` is a word of CEL's own, which cannot be a name")
        }
        (_, None) if error.msg.contains("has() macro") => {
            "`has` takes a member, as in has(service.owner)".to_owned()
        }
        (_, None) if error.msg == "argument must be a simple name" => {
            "a loop begins with a name for the item, as in tasks.all(t, t.id != '')".to_owned()
        }
        (token, None)
            if error.msg.starts_with("invalid int") || error.msg.starts_with("invalid double") =>
        {
            format!("`{token}` is too large a number")
        }
        (_, None) => error.msg.chars().take(200).collect(),
    };
    Problem::Syntax(message).at(offset, length)
}

/// The word before the byte.
fn before(source: &str, offset: usize) -> Option<&str> {
    source[..offset].split_whitespace().next_back()
}

/// The byte at a line and column, both counted from one, columns in characters.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let lines = usize::try_from(line - 1).unwrap_or_default();
    let columns = usize::try_from(column - 1).unwrap_or_default();
    let start: usize = source.split_inclusive('\n').take(lines).map(str::len).sum();
    let text = source[start..].split('\n').next().unwrap_or_default();
    start
        + text
            .char_indices()
            .nth(columns)
            .map_or(text.len(), |(at, _)| at)
}
