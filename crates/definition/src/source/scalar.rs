//! What a text without quotes stands for. Where YAML's versions disagree, or a reader would have
//! to know them by heart, the text must be quoted.

use super::{Kind, Style};

/// Why a text without quotes is refused.
pub(super) struct Ambiguous {
    /// What is wrong with it.
    pub(super) message: String,
    /// What would be right.
    pub(super) help: String,
}

/// Reads a plain scalar.
pub(super) fn classify(text: &str) -> Result<Kind, Ambiguous> {
    match text {
        "null" => return Ok(Kind::Null),
        "true" => return Ok(Kind::Boolean(true)),
        "false" => return Ok(Kind::Boolean(false)),
        _ => {}
    }
    if let Some(otherwise) = taken_otherwise(text) {
        return Err(ambiguous(text, otherwise));
    }
    if is_integer(text) {
        let number = text.parse().map_err(|_| Ambiguous {
            message: format!("the number {text} is too large"),
            help: format!(
                "whole numbers go up to {}; if this is text, put it in quotes",
                i64::MAX
            ),
        })?;
        return Ok(Kind::Integer(number));
    }
    if is_number(text) {
        return match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Kind::Number(number)),
            _ => Err(ambiguous(text, "an infinite number")),
        };
    }
    Ok(Kind::Text {
        value: text.to_owned(),
        style: Style::Plain,
    })
}

/// Whether a text reads back as itself without quotes, and by every reader.
pub(super) fn is_plain_text(text: &str) -> bool {
    matches!(classify(text), Ok(Kind::Text { .. }))
}

fn ambiguous(text: &str, otherwise: &str) -> Ambiguous {
    let lower = text.to_ascii_lowercase();
    let help = match lower.as_str() {
        "true" | "false" | "null" => format!("write `{lower}`, or \"{text}\" if text is meant"),
        "yes" | "on" | "y" => format!("write `true`, or \"{text}\" if text is meant"),
        "no" | "off" | "n" => format!("write `false`, or \"{text}\" if text is meant"),
        "~" => "write `null` to remove, or \"~\" if text is meant".to_owned(),
        _ => format!("put it in quotes: \"{text}\""),
    };
    Ambiguous {
        message: format!("`{text}` without quotes is {otherwise} to some YAML readers"),
        help,
    }
}

/// What some reader of YAML makes of it, other than what this one would.
fn taken_otherwise(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "yes" | "no" | "on" | "off" | "y" | "n" | "true" | "false" => return Some("true or false"),
        "~" | "null" => return Some("null"),
        ".inf" | "-.inf" | "+.inf" | ".nan" => return Some("a number"),
        "=" => return Some("a default value"),
        "<<" => return Some("a merge key"),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if let [b'0', b'x' | b'o' | b'b' | b'X' | b'O' | b'B', rest @ ..] = unsigned.as_bytes()
        && !rest.is_empty()
        && rest.iter().all(|b| b.is_ascii_hexdigit() || *b == b'_')
    {
        return Some("a number in another base");
    }
    if digits(unsigned) {
        let octal = unsigned.len() > 1 && unsigned.starts_with('0');
        return if octal {
            Some("an octal number")
        } else {
            (text.starts_with('+') || unsigned.contains('_')).then_some("a number")
        };
    }
    let mut parts = unsigned.split(':');
    if unsigned.contains(':') && parts.all(|part| digits(part) || is_decimal(part)) {
        return Some("a number in base 60");
    }
    if has_exponent(unsigned) {
        return Some("a number");
    }
    if is_decimal(unsigned)
        && (text.starts_with('+') || unsigned.starts_with('.') || unsigned.ends_with('.'))
    {
        return Some("a number");
    }
    is_date(text).then_some("a date")
}

fn is_decimal(text: &str) -> bool {
    text.split_once('.').is_some_and(|(whole, fraction)| {
        whole.len() + fraction.len() > 0
            && [whole, fraction]
                .iter()
                .all(|part| part.bytes().all(|b| b.is_ascii_digit()))
    })
}

fn is_date(text: &str) -> bool {
    let date = text.split(['T', 't', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split('-').collect();
    parts.len() == 3
        && parts[0].len() == 4
        && parts[1..].iter().all(|part| (1..=2).contains(&part.len()))
        && parts
            .iter()
            .all(|part| part.bytes().all(|b| b.is_ascii_digit()))
}

fn is_integer(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    is_decimal(unsigned) && !unsigned.starts_with('.') && !unsigned.ends_with('.')
}

/// `1e5` and the like: a number or text, depending on the reader.
fn has_exponent(unsigned: &str) -> bool {
    unsigned
        .split_once(['e', 'E'])
        .is_some_and(|(base, exponent)| {
            let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            (is_integer(base) || is_decimal(base)) && is_integer(exponent)
        })
}

#[cfg(test)]
mod tests {
    use super::{Kind, classify};

    fn read(text: &str) -> String {
        match classify(text) {
            Ok(Kind::Text { .. }) => "text".to_owned(),
            Ok(kind) => format!("{kind:?}"),
            Err(ambiguous) => ambiguous
                .message
                .split(" is ")
                .last()
                .unwrap_or_default()
                .to_owned(),
        }
    }

    #[test]
    fn what_all_readers_agree_on_is_taken() {
        for text in [
            "office",
            "08:00-12:00",
            "1.2.0",
            "sha256:12",
            "PT8H",
            "p1",
            ">=0.1",
            "a: b",
            "2026-12",
            "-",
            ".",
            "..",
            "",
            "-x",
        ] {
            assert_eq!(read(text), "text", "{text}");
        }
        for (text, kind) in [
            ("12", "Integer(12)"),
            ("-3", "Integer(-3)"),
            ("0", "Integer(0)"),
            ("1.50", "Number(1.5)"),
            ("true", "Boolean(true)"),
            ("null", "Null"),
        ] {
            assert_eq!(read(text), kind);
        }
    }

    #[test]
    fn what_readers_disagree_on_is_refused() {
        for text in [
            "on",
            "Off",
            "YES",
            "no",
            "n",
            "True",
            "~",
            "NULL",
            "08:00",
            "1:30:00",
            "010",
            "0x1F",
            "0o17",
            "1_000",
            "+5",
            ".5",
            "1.",
            "1e5",
            "1.5E-3",
            ".inf",
            "2026-03-01",
            "2026-03-01T09:00:00Z",
            "<<",
            "=",
            "99999999999999999999",
        ] {
            assert!(classify(text).is_err(), "{text}");
        }
    }
}
