//! A look at the text before the parser sees it, which takes one stack frame whatever the text.
//!
//! The parser and the evaluator recurse: once per bracket, and once per operator, selection or
//! call in a chain. A text with too many of them would end the process, so each thing that can
//! deepen the tree is counted here, and whatever this scan and the parser's lexer might split
//! into tokens differently (an unclosed text, an unknown escape) is refused.

use super::error::{ExpressionError, Problem};

/// The most bytes an expression may have.
pub const MAX_BYTES: usize = 1000;
/// The most brackets that may stand within one another.
pub const MAX_DEPTH: usize = 8;
/// The most operators, selections and calls.
pub const MAX_OPERATORS: usize = 40;
/// The most loops (`all`, `exists`, `map`, …) that may stand within one another.
pub const MAX_LOOPS: usize = 2;

/// The methods that go through a list.
const LOOPS: [&str; 6] = ["all", "exists", "exists_one", "existsOne", "filter", "map"];

/// Checks the limits, the brackets and the texts of an expression.
pub(super) fn scan(source: &str) -> Result<(), ExpressionError> {
    if source.len() > MAX_BYTES {
        return Err(Problem::TooLong(source.len()).at(0, source.len()));
    }
    let mut scan = Scan {
        source,
        at: 0,
        brackets: Vec::new(),
        loops: 0,
        operators: 0,
        last: Last::Nothing,
    };
    while scan.at < source.len() {
        scan.token()?;
    }
    if let Some(open) = scan.brackets.first() {
        return Err(syntax(
            format!("`{}` is never closed", open.opener),
            open.at,
            1,
        ));
    }
    if scan.last == Last::Nothing {
        return Err(Problem::Empty.at(0, source.len()));
    }
    Ok(())
}

/// Whether this reads as one identifier.
pub(super) fn is_identifier(text: &str) -> bool {
    text.bytes().next().is_some_and(starts_identifier) && text.bytes().all(continues_identifier)
}

struct Scan<'a> {
    source: &'a str,
    at: usize,
    brackets: Vec<Bracket>,
    /// How many of the open brackets are those of a loop.
    loops: usize,
    operators: usize,
    last: Last<'a>,
}

struct Bracket {
    opener: char,
    at: usize,
    is_loop: bool,
}

/// The token before, as far as it matters for the next.
#[derive(Clone, Copy, PartialEq)]
enum Last<'a> {
    Nothing,
    Name(&'a str),
    /// A name right after a dot.
    Member(&'a str),
    Dot,
    /// Something else that a bracket may follow to index it.
    Value,
    Other,
}

impl<'a> Scan<'a> {
    fn token(&mut self) -> Result<(), ExpressionError> {
        let byte = self.source.as_bytes()[self.at];
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | 0x0c => self.at += 1,
            b'/' if self.rest().starts_with("//") => {
                self.at = self
                    .rest()
                    .find('\n')
                    .map_or(self.source.len(), |end| self.at + end);
            }
            b'"' | b'\'' => self.text(self.at, false)?,
            _ if starts_identifier(byte) => self.name()?,
            b'0'..=b'9' => self.number()?,
            b'(' | b'[' | b'{' => self.open(char::from(byte))?,
            b')' | b']' | b'}' => self.close(char::from(byte))?,
            _ => self.symbol()?,
        }
        Ok(())
    }

    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    /// Counts one thing that deepens the tree.
    fn count(&mut self) -> Result<(), ExpressionError> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            return Err(Problem::TooManyOperators.at(self.at, 1));
        }
        Ok(())
    }

    fn name(&mut self) -> Result<(), ExpressionError> {
        let start = self.at;
        let length = self
            .rest()
            .bytes()
            .take_while(|byte| continues_identifier(*byte))
            .count();
        let name = &self.source[start..start + length];
        let quoted = matches!(
            self.source.as_bytes().get(start + length),
            Some(b'"' | b'\'')
        );
        if quoted && matches!(name, "r" | "R" | "b" | "B" | "br" | "bR" | "Br" | "BR") {
            let raw = name.ends_with(['r', 'R']);
            self.at += length;
            return self.text(start, raw);
        }
        if name == "in" {
            self.count()?;
            self.last = Last::Other;
        } else if self.last == Last::Dot {
            self.last = Last::Member(name);
        } else {
            self.last = Last::Name(name);
        }
        self.at += length;
        Ok(())
    }

    /// A number. A name right after one is refused: the lexer would see an operator in `1in 2`.
    fn number(&mut self) -> Result<(), ExpressionError> {
        let start = self.at;
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        self.at += digits(self.rest());
        if let Some(hexadecimal) = self
            .rest()
            .strip_prefix('x')
            .filter(|_| &self.source[start..self.at] == "0")
        {
            self.at += 1 + hexadecimal
                .bytes()
                .take_while(u8::is_ascii_hexdigit)
                .count();
        } else {
            let fraction = self.rest().strip_prefix('.').map_or(0, digits);
            if fraction > 0 {
                self.at += 1 + fraction;
            }
            if let Some(exponent) = self.rest().strip_prefix(['e', 'E']) {
                // A sign counts as an operator, which errs on the safe side.
                let unsigned = exponent.strip_prefix(['+', '-']);
                if digits(unsigned.unwrap_or(exponent)) > 0 {
                    self.at += 1 + digits(exponent);
                    if unsigned.is_some() {
                        self.last = Last::Value;
                        return Ok(());
                    }
                }
            }
        }
        if self.rest().starts_with(['u', 'U']) {
            self.at += 1;
        }
        if self.rest().bytes().next().is_some_and(continues_identifier) {
            return Err(syntax(
                "a number goes on with letters".into(),
                start,
                self.at + 1 - start,
            ));
        }
        self.last = Last::Value;
        Ok(())
    }

    /// A text or bytes whose opening quote stands at the current byte, its prefix at `start`.
    fn text(&mut self, start: usize, raw: bool) -> Result<(), ExpressionError> {
        let bytes = self.source.as_bytes();
        let quote = bytes[self.at];
        let triple = bytes[self.at..].starts_with(&[quote; 3]);
        let closing: &[u8] = if triple { &[quote; 3] } else { &[quote] };
        self.at += closing.len();
        loop {
            match bytes.get(self.at) {
                _ if bytes[self.at..].starts_with(closing) => break,
                None => {
                    return Err(syntax(
                        "the text is never closed".into(),
                        start,
                        self.source.len() - start,
                    ));
                }
                Some(b'\n' | b'\r') if !triple => {
                    return Err(syntax(
                        "the text is never closed on its line".into(),
                        start,
                        self.at - start,
                    ));
                }
                Some(b'\\') if !raw => self.escape()?,
                Some(_) => self.at += 1,
            }
        }
        self.at += closing.len();
        self.last = Last::Value;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), ExpressionError> {
        let rest = &self.source.as_bytes()[self.at + 1..];
        let hexadecimal = |count: usize| {
            (rest.len() > count && rest[1..=count].iter().all(u8::is_ascii_hexdigit))
                .then_some(count + 1)
        };
        let length = match rest.first() {
            Some(
                b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'"' | b'\'' | b'\\' | b'?' | b'`',
            ) => Some(1),
            Some(b'0'..=b'3') if matches!(rest, [_, b'0'..=b'7', b'0'..=b'7', ..]) => Some(3),
            Some(b'x' | b'X') => hexadecimal(2),
            Some(b'u') => hexadecimal(4),
            Some(b'U') => hexadecimal(8),
            _ => None,
        };
        let Some(length) = length else {
            return Err(syntax(
                "this escape is unknown; a backslash itself is written `\\\\`".into(),
                self.at,
                1,
            ));
        };
        self.at += 1 + length;
        Ok(())
    }

    fn open(&mut self, opener: char) -> Result<(), ExpressionError> {
        let extends = match opener {
            // A method's selection is counted already.
            '(' => matches!(self.last, Last::Name(_)),
            _ => matches!(self.last, Last::Name(_) | Last::Member(_) | Last::Value),
        };
        if extends {
            self.count()?;
        }
        let is_loop =
            opener == '(' && matches!(self.last, Last::Member(name) if LOOPS.contains(&name));
        self.loops += usize::from(is_loop);
        if self.loops > MAX_LOOPS {
            return Err(Problem::TooManyLoops.at(self.at, 1));
        }
        if self.brackets.len() == MAX_DEPTH {
            return Err(Problem::TooDeep.at(self.at, 1));
        }
        self.brackets.push(Bracket {
            opener,
            at: self.at,
            is_loop,
        });
        self.last = Last::Other;
        self.at += 1;
        Ok(())
    }

    fn close(&mut self, closer: char) -> Result<(), ExpressionError> {
        let opener = match closer {
            ')' => '(',
            ']' => '[',
            _ => '{',
        };
        match self.brackets.pop() {
            Some(open) if open.opener == opener => self.loops -= usize::from(open.is_loop),
            Some(open) => {
                return Err(syntax(
                    format!("`{closer}` closes `{}`", open.opener),
                    self.at,
                    1,
                ));
            }
            None => return Err(syntax(format!("`{closer}` closes nothing"), self.at, 1)),
        }
        self.last = Last::Value;
        self.at += 1;
        Ok(())
    }

    fn symbol(&mut self) -> Result<(), ExpressionError> {
        let rest = self.rest();
        let two = rest
            .get(..2)
            .filter(|two| matches!(*two, "==" | "!=" | "<=" | ">=" | "&&" | "||"));
        if let Some(two) = two {
            self.count()?;
            self.at += two.len();
            self.last = Last::Other;
            return Ok(());
        }
        let Some(symbol) = rest.chars().next() else {
            return Ok(());
        };
        match symbol {
            '.' | '?' | '!' | '-' | '+' | '*' | '/' | '%' | '<' | '>' => self.count()?,
            ',' | ':' => {}
            '=' => {
                return Err(syntax(
                    "`=` does not compare; write `==`".into(),
                    self.at,
                    1,
                ));
            }
            '&' | '|' => {
                return Err(syntax(
                    format!("`{symbol}` alone means nothing; write `{symbol}{symbol}`"),
                    self.at,
                    1,
                ));
            }
            _ => {
                let shown = symbol.escape_debug();
                return Err(syntax(
                    format!("`{shown}` has no place here"),
                    self.at,
                    symbol.len_utf8(),
                ));
            }
        }
        self.last = if symbol == '.' {
            Last::Dot
        } else {
            Last::Other
        };
        self.at += 1;
        Ok(())
    }
}

fn syntax(message: String, offset: usize, length: usize) -> ExpressionError {
    Problem::Syntax(message).at(offset, length)
}

fn starts_identifier(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn continues_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, MAX_DEPTH, MAX_OPERATORS, scan};

    fn refused(source: &str) -> String {
        scan(source).expect_err(source).to_string()
    }

    #[test]
    fn the_limits_themselves_are_allowed_and_one_more_is_not() {
        let nested = |depth: usize| format!("{}x{}", "(".repeat(depth), ")".repeat(depth));
        assert!(scan(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(
            refused(&nested(MAX_DEPTH + 1)),
            "brackets stand more than 8 deep"
        );

        let chain = |terms: usize| vec!["x"; terms].join("||");
        assert!(scan(&chain(MAX_OPERATORS + 1)).is_ok());
        assert!(refused(&chain(MAX_OPERATORS + 2)).starts_with("there are more than 40 operators"));

        let long = |bytes: usize| format!("'{}'", "x".repeat(bytes - 2));
        assert!(scan(&long(MAX_BYTES)).is_ok());
        assert_eq!(
            refused(&long(MAX_BYTES + 1)),
            "the expression has 1001 bytes; the most is 1000"
        );
    }

    #[test]
    fn each_way_to_deepen_the_tree_is_counted() {
        for part in [
            "!", "-", ".a", "[0]", "?a:a", " in a", "&&a", "+a", "*a", "<=a", ".f(a)", "-0xe",
            "-1e9",
        ] {
            let source = if matches!(part, "!" | "-") {
                format!("{}a", part.repeat(41))
            } else {
                format!("a{}", part.repeat(41))
            };
            assert!(
                refused(&source).starts_with("there are more than 40"),
                "{part}"
            );
            let few = source.replacen(part, "", 1);
            assert!(scan(&few).is_ok(), "{part}");
        }
    }

    #[test]
    fn what_stands_in_texts_and_comments_is_not_counted() {
        let noise = "((((((((((!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!";
        for source in [
            format!("'{noise}'"),
            format!("\"{noise}\""),
            format!("'''{noise}''\n'''"),
            format!("r'{noise}\\'"),
            format!("b\"\"\"{noise}\"\"\""),
            format!("a // {noise}\n && b"),
            format!("'\\'{noise}\\x41\\u00e9\\U0001F600\\101'"),
        ] {
            assert_eq!(scan(&source), Ok(()), "{source}");
        }
    }

    #[test]
    fn what_the_lexer_might_read_otherwise_is_refused() {
        for source in [
            "'abc",
            "'''abc''",
            "'a\nb'",
            r"'\q(((('",
            r"'\x4'",
            r"'\u12'",
            r"'\400'",
            "r'",
            "'\\",
        ] {
            let message = refused(source);
            assert!(
                message.contains("never closed") || message.contains("escape"),
                "{source}: {message}"
            );
        }
        for source in [
            "(a",
            "a)",
            "(a]",
            "a = b",
            "a & b",
            "a | b",
            "`a`",
            "a @ b",
            "é",
            "a; b",
            "1in 2",
            "1e",
            "0xg",
            "",
            "  // only",
        ] {
            assert!(scan(source).is_err(), "{source}");
        }
    }

    #[test]
    fn loops_stand_two_deep_and_in_a_row_as_often_as_operators_allow() {
        assert!(scan("a.all(x, x.all(y, y))").is_ok());
        assert!(scan("a.map(x, x).map(x, x).map(x, x)").is_ok());
        assert_eq!(
            refused("a.all(x, x.map(y, y.exists(z, z)))"),
            "loops such as `all` and `map` stand more than 2 deep"
        );
    }
}
