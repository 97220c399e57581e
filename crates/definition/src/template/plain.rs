//! What a template may be made of: what it prints, branches and loops over what the record holds, and
//! nothing by which a value could grow. Each step of a template costs fuel, however long the texts and
//! lists that it makes: were it to join two of them and name the result, forty steps would fill any
//! memory. So templates name nothing, join no texts outside of `join`, and write down no lists but of
//! constants; then everything is as long as the record has it.

/// The statements that a template may hold.
const STATEMENTS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];
/// Words that are no names of values.
const WORDS: [&str; 7] = ["and", "or", "not", "in", "is", "if", "else"];
const CONSTANTS: [&str; 6] = ["true", "True", "false", "False", "none", "None"];

/// Holds a template that the library could compile to this.
///
/// # Errors
/// What it may not hold, and in which of its lines.
pub(super) fn check(source: &str) -> Result<(), String> {
    let mut rest = source;
    while let Some(start) = next_tag(rest) {
        let (kind, inside) = (rest.as_bytes()[start + 1], &rest[start + 2..]);
        if kind == b'#' {
            rest = inside.split_once("#}").map_or("", |(_, after)| after);
            continue;
        }
        let mut tag = Tag::new(inside, kind == b'%');
        rest = tag.read().map_err(|message| {
            let read = source.len() - tag.rest.len();
            let line = 1 + source[..read].bytes().filter(|it| *it == b'\n').count();
            format!("{message}, in its line {line}")
        })?;
    }
    Ok(())
}

/// Where the next tag or comment begins.
fn next_tag(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(1))
        .find(|at| bytes[*at] == b'{' && matches!(bytes[*at + 1], b'{' | b'%' | b'#'))
}

/// What stands within brackets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    /// An index or a part of what stands before.
    Index,
    /// A list of constants.
    List,
    /// What a filter is given.
    Filter,
    /// An expression apart.
    Group,
}

/// The token before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// Something that has a value.
    Value,
    /// The name of a filter.
    Filter,
    /// A bar, after which a filter is named.
    Bar,
    /// A dot, after which a member is named.
    Dot,
    Other,
}

/// One tag being read.
struct Tag<'s> {
    rest: &'s str,
    is_statement: bool,
    /// Whether the variables of a loop are being named.
    names_variables: bool,
    brackets: Vec<Bracket>,
    before: Before,
}

impl<'s> Tag<'s> {
    const fn new(rest: &'s str, is_statement: bool) -> Self {
        Self {
            rest,
            is_statement,
            names_variables: false,
            brackets: Vec::new(),
            before: Before::Nothing,
        }
    }

    /// Reads the tag, and gives what comes after it.
    fn read(&mut self) -> Result<&'s str, String> {
        self.rest = self.rest.strip_prefix(['-', '+']).unwrap_or(self.rest);
        if self.is_statement {
            self.statement()?;
        }
        let end = if self.is_statement { "%}" } else { "}}" };
        loop {
            self.rest = self.rest.trim_start();
            let trimmed = self.rest.strip_prefix(['-', '+']).unwrap_or(self.rest);
            if let Some(after) = trimmed.strip_prefix(end) {
                return Ok(after);
            }
            let Some(next) = self.rest.chars().next() else {
                return Err("a tag does not end".to_owned());
            };
            self.token(next)?;
        }
    }

    fn statement(&mut self) -> Result<(), String> {
        self.rest = self.rest.trim_start();
        let word = self.word();
        if !STATEMENTS.contains(&word) {
            return Err(format!(
                "a notice knows no `{word}`: it may branch with `if` and loop with `for`"
            ));
        }
        self.names_variables = word == "for";
        Ok(())
    }

    fn token(&mut self, next: char) -> Result<(), String> {
        let is_constant_only = self.brackets.last() == Some(&Bracket::List);
        match next {
            '\'' | '"' => {
                self.skip_text(next)?;
                self.before = Before::Value;
            }
            '0'..='9' => {
                self.word();
                self.before = Before::Value;
            }
            _ if next == '_' || next.is_alphabetic() => self.name(is_constant_only)?,
            '[' if self.before == Before::Value => self.open(Bracket::Index),
            '[' if !is_constant_only => self.open(Bracket::List),
            '(' if self.before == Before::Filter => self.open(Bracket::Filter),
            '(' if self.before == Before::Value => {
                return Err("a notice has no functions to call".to_owned());
            }
            '(' if !is_constant_only => self.open(Bracket::Group),
            ']' | ')' => {
                self.brackets.pop();
                self.step(next, Before::Value);
            }
            ',' if self.takes_commas() => self.step(next, Before::Other),
            '-' => self.step(next, Before::Other),
            _ if is_constant_only => return Err(lists_of_constants()),
            ',' => return Err(lists_of_constants()),
            '|' => self.step(next, Before::Bar),
            '.' => self.step(next, Before::Dot),
            '~' | '+' | '*' => {
                return Err(format!(
                    "a notice does not compute with `{next}`: print one after the other, as in `{{{{ a }}}}{{{{ b }}}}`"
                ));
            }
            ':' | '=' | '!' | '<' | '>' | '/' | '%' => self.step(next, Before::Other),
            _ => return Err(format!("a notice knows no `{next}`")),
        }
        Ok(())
    }

    fn name(&mut self, is_constant_only: bool) -> Result<(), String> {
        let word = self.word();
        if is_constant_only && !CONSTANTS.contains(&word) {
            return Err(lists_of_constants());
        }
        if word == "in" {
            self.names_variables = false;
        }
        self.before = match self.before {
            Before::Bar => Before::Filter,
            Before::Dot => Before::Value,
            _ if WORDS.contains(&word) => Before::Other,
            _ => Before::Value,
        };
        Ok(())
    }

    /// Whether a comma may stand here: between the variables of a loop, what a filter is given, or the
    /// constants of a list.
    fn takes_commas(&self) -> bool {
        match self.brackets.last() {
            None => self.names_variables,
            Some(bracket) => matches!(bracket, Bracket::Filter | Bracket::List),
        }
    }

    fn open(&mut self, bracket: Bracket) {
        self.brackets.push(bracket);
        self.rest = &self.rest[1..];
        self.before = Before::Nothing;
    }

    fn step(&mut self, token: char, before: Before) {
        self.rest = &self.rest[token.len_utf8()..];
        self.before = before;
    }

    /// Reads letters, digits and `_`.
    fn word(&mut self) -> &'s str {
        let is_part = |next: char| next == '_' || next.is_alphanumeric();
        let end = self.rest.find(|next| !is_part(next));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    /// Passes a text in quotes.
    fn skip_text(&mut self, quote: char) -> Result<(), String> {
        let mut is_escaped = false;
        for (at, next) in self.rest.char_indices().skip(1) {
            if next == quote && !is_escaped {
                self.rest = &self.rest[at + 1..];
                return Ok(());
            }
            is_escaped = next == '\\' && !is_escaped;
        }
        Err("a text in quotes does not end".to_owned())
    }
}

fn lists_of_constants() -> String {
    "the lists of a notice hold constants only, as in `['low', 'high']`".to_owned()
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_prints_branches_and_loops_is_plain() {
        for plain in [
            "",
            "No tags at all, a { b } and 50% {",
            "{{ record.id }}{{- summary -}} {{tags[0]}} {{ tags[1:] | join(', ') }}",
            "{% if impact == 'high' and not (major or record.team in ['a', \"b\"]) %}!{% elif x is none %}{% else %}{% endif %}",
            "{%- for key, tag in tags | default([]) -%}{{ loop.index }}: {{ tag | upper }}{% else %}none{% endfor +%}",
            "{{ a if b else 'it\\'s }} not ~ over' }}{# {% set a = 1 %} #}{{ now }}",
            "{{ -1 }}{{ cost / 2 - 1 }}{{ größe }}",
            "{{ tags | join(d=', ') }}{{ 1.5 }}",
        ] {
            assert_eq!(check(plain), Ok(()), "{plain}");
        }
    }

    #[test]
    fn what_could_grow_is_not() {
        let told = |source: &str| check(source).expect_err(source);
        for (source, part) in [
            ("{% set a = 1 %}", "knows no `set`"),
            ("{%-set a%}x{%endset%}", "knows no `set`"),
            ("{% with a = text %}{% endwith %}", "knows no `with`"),
            ("{% filter upper %}x{% endfilter %}", "knows no `filter`"),
            ("{% raw %}x{% endraw %}", "knows no `raw`"),
            ("{{ a ~ a }}", "compute with `~`"),
            ("{{ 'a' * 100 }}", "compute with `*`"),
            ("{{ text + text }}", "compute with `+`"),
            ("{{ [text, text] }}", "hold constants only"),
            ("{{ [[1]] }}", "hold constants only"),
            ("{{ (a, b) }}", "hold constants only"),
            ("{% for a in b, c %}{% endfor %}", "hold constants only"),
            ("{{ {'a': text} }}", "knows no `{`"),
            (
                "{% for a in b recursive %}{{ loop(a) }}{% endfor %}",
                "no functions",
            ),
            ("{{ loop.cycle(a, b) }}", "no functions"),
            ("{{ tags[0](a) }}", "no functions"),
            ("{{ a | join(b ~ b) }}", "compute with `~`"),
        ] {
            let message = told(source);
            assert!(message.contains(part), "{source}: {message}");
        }
        assert!(told("Dear\n{{ a }}\n{{ a ~ b }}").ends_with("in its line 3"));
    }
}
