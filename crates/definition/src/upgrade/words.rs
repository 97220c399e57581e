//! The names and texts within an expression or a template, by their bytes: enough to rename one of
//! them and leave all else as it was written.

/// A part of an expression that can name something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word<'s> {
    /// A name that stands for itself: a field, or a name in scope.
    Name(&'s str),
    /// A name after a dot, behind the name that the chain begins with.
    Member {
        /// What the chain begins with.
        root: &'s str,
        /// The member.
        name: &'s str,
    },
    /// A text held against a name or a chain, such as `record.state`.
    Compared {
        /// The chain, dots included.
        with: &'s str,
        /// What stands in the quotes.
        text: &'s str,
    },
    /// A text that is held against nothing: perhaps what the expression gives.
    Text(&'s str),
    /// The first argument of a function, where it is a text.
    Argument {
        /// The function.
        function: &'s str,
        /// What stands in the quotes.
        text: &'s str,
    },
}

/// A word and where its name, or what stands in its quotes, begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed<'s> {
    pub(super) word: Word<'s>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The methods that name the item of a list within their brackets.
const LOOPS: [&str; 6] = ["all", "exists", "exists_one", "existsOne", "filter", "map"];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Name,
    /// Begins and ends within the quotes.
    Text,
    Symbol,
}

#[derive(Clone, Copy, Debug)]
struct Token<'s> {
    kind: Kind,
    text: &'s str,
    start: usize,
}

/// The words of an expression.
pub(super) fn words(source: &str) -> Vec<Placed<'_>> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    let mut bound: Vec<Option<&str>> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match (token.kind, token.text) {
            (Kind::Symbol, "(" | "[" | "{") => bound.push(loop_name(&tokens, index)),
            (Kind::Symbol, ")" | "]" | "}") => {
                bound.pop();
            }
            (Kind::Name, name) => {
                let is_bound = |root: &str| bound.contains(&Some(root));
                let word = name_at(&tokens, index, name).filter(|word| match word {
                    Word::Name(root) | Word::Member { root, .. } => !is_bound(root),
                    _ => true,
                });
                found.extend(word.map(|word| placed(word, token)));
            }
            (Kind::Text, text) if !is_key(&tokens, index) => {
                let word = argument(&tokens, index, text)
                    .or_else(|| compared(&tokens, index, source, text))
                    .unwrap_or(Word::Text(text));
                found.push(placed(word, token));
            }
            _ => {}
        }
    }
    found
}

/// The words of a template: those between `{{ }}` and `{% %}`.
pub(super) fn template_words(source: &str) -> Vec<Placed<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = source[at..].find('{').map(|found| at + found) {
        let closing = match source.as_bytes().get(open + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => {
                at = open + 1;
                continue;
            }
        };
        let inner = open + 2;
        let Some(length) = source[inner..].find(closing) else {
            break;
        };
        if closing != "#}" {
            let within = words(&source[inner..inner + length]).into_iter();
            found.extend(within.map(|it| Placed {
                start: it.start + inner,
                end: it.end + inner,
                ..it
            }));
        }
        at = inner + length + closing.len();
    }
    found
}

fn placed<'s>(word: Word<'s>, token: &Token<'_>) -> Placed<'s> {
    Placed {
        word,
        start: token.start,
        end: token.start + token.text.len(),
    }
}

fn is(token: Option<&Token<'_>>, text: &str) -> bool {
    token.is_some_and(|token| token.kind == Kind::Symbol && token.text == text)
}

/// The item's name that the bracket at `open` binds, where a loop begins with it.
fn loop_name<'s>(tokens: &[Token<'s>], open: usize) -> Option<&'s str> {
    let before = |back: usize| open.checked_sub(back).and_then(|at| tokens.get(at));
    let is_loop = before(1).is_some_and(|it| it.kind == Kind::Name && LOOPS.contains(&it.text))
        && is(before(2), ".");
    let name = tokens.get(open + 1).filter(|it| it.kind == Kind::Name)?;
    (is_loop && is(tokens.get(open + 2), ",")).then_some(name.text)
}

fn name_at<'s>(tokens: &[Token<'s>], index: usize, name: &'s str) -> Option<Word<'s>> {
    let before = |back: usize| index.checked_sub(back).and_then(|at| tokens.get(at));
    if is(tokens.get(index + 1), "(") {
        return None;
    }
    if !is(before(1), ".") {
        return Some(Word::Name(name));
    }
    let root = before(2).filter(|it| it.kind == Kind::Name && !is(before(3), "."))?;
    let root = root.text;
    Some(Word::Member { root, name })
}

fn argument<'s>(tokens: &[Token<'s>], index: usize, text: &'s str) -> Option<Word<'s>> {
    let function = index.checked_sub(2).and_then(|at| tokens.get(at))?;
    let is_call = is(tokens.get(index - 1), "(") && function.kind == Kind::Name;
    let function = function.text;
    is_call.then_some(Word::Argument { function, text })
}

/// Whether a text is a key of a map, and so is nothing that is given.
fn is_key(tokens: &[Token<'_>], index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|at| tokens.get(at));
    (is(before, "{") || is(before, ",")) && is(tokens.get(index + 1), ":")
}

/// What a text is held against: before it, after it, or before the list that it stands in.
fn compared<'s>(
    tokens: &[Token<'s>],
    index: usize,
    source: &'s str,
    text: &'s str,
) -> Option<Word<'s>> {
    let equals = |at: Option<usize>| {
        let token = at.and_then(|at| tokens.get(at));
        is(token, "==") || is(token, "!=")
    };
    let with = if equals(index.checked_sub(1)) {
        chain_before(tokens, index.checked_sub(2)?, source)
    } else if equals(Some(index + 1)) {
        chain_after(tokens, index + 2, source)
    } else {
        let open = list_before(tokens, index)?;
        let operator = tokens.get(open.checked_sub(1)?)?;
        (operator.kind == Kind::Name && operator.text == "in")
            .then(|| chain_before(tokens, open.checked_sub(2)?, source))
            .flatten()
    }?;
    Some(Word::Compared { with, text })
}

/// The bracket of the list of texts in which a text stands.
fn list_before(tokens: &[Token<'_>], index: usize) -> Option<usize> {
    let inner = |token: &Token<'_>| token.kind == Kind::Text || token.text == ",";
    let open = tokens[..index].iter().rposition(|token| !inner(token))?;
    is(tokens.get(open), "[").then_some(open)
}

fn chain_before<'s>(tokens: &[Token<'s>], last: usize, source: &'s str) -> Option<&'s str> {
    let end = tokens.get(last).filter(|it| it.kind == Kind::Name)?;
    let mut first = last;
    while first >= 2 && is(tokens.get(first - 1), ".") && tokens[first - 2].kind == Kind::Name {
        first -= 2;
    }
    source.get(tokens[first].start..end.start + end.text.len())
}

fn chain_after<'s>(tokens: &[Token<'s>], first: usize, source: &'s str) -> Option<&'s str> {
    let start = tokens.get(first).filter(|it| it.kind == Kind::Name)?.start;
    let mut last = first;
    while is(tokens.get(last + 1), ".")
        && tokens.get(last + 2).is_some_and(|it| it.kind == Kind::Name)
    {
        last += 2;
    }
    source.get(start..tokens[last].start + tokens[last].text.len())
}

fn tokens(source: &str) -> Vec<Token<'_>> {
    let bytes = source.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    let continues = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    while at < bytes.len() {
        let start = at;
        let kind = match bytes[at] {
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = source[at..].find('\n').map_or(bytes.len(), |end| at + end);
                continue;
            }
            b'"' | b'\'' => {
                let (inner, after) = quoted(bytes, at, is_raw(tokens.last(), at));
                let (from, to) = inner;
                at = after;
                tokens.push(Token {
                    kind: Kind::Text,
                    text: source.get(from..to).unwrap_or_default(),
                    start: from,
                });
                continue;
            }
            byte if continues(byte) => {
                at += bytes[at..]
                    .iter()
                    .take_while(|byte| continues(**byte))
                    .count();
                // A number is nothing that could be renamed.
                if byte.is_ascii_digit() {
                    Kind::Symbol
                } else {
                    Kind::Name
                }
            }
            _ => {
                let two = source.get(at..at + 2).unwrap_or_default();
                let is_two = matches!(two, "==" | "!=" | "<=" | ">=" | "&&" | "||");
                let one = source[at..].chars().next().map_or(1, char::len_utf8);
                at += if is_two { 2 } else { one };
                Kind::Symbol
            }
        };
        tokens.push(Token {
            kind,
            text: &source[start..at],
            start,
        });
    }
    tokens
}

/// Whether the quote at `at` has an `r` before it, so that a backslash in the text is one.
fn is_raw(last: Option<&Token<'_>>, at: usize) -> bool {
    last.is_some_and(|it| {
        let touches = it.start + it.text.len() == at;
        touches && matches!(it.text, "r" | "R" | "br" | "bR" | "Br" | "BR")
    })
}

/// What stands within the quotes that open at `at`, and where the text goes on after them.
fn quoted(bytes: &[u8], at: usize, is_raw: bool) -> ((usize, usize), usize) {
    let quote = bytes[at];
    let width = if bytes[at..].starts_with(&[quote; 3]) {
        3
    } else {
        1
    };
    let from = at + width;
    let mut to = from;
    while to < bytes.len() && !bytes[to..].starts_with(&[quote; 3][..width]) {
        to += if bytes[to] == b'\\' && !is_raw { 2 } else { 1 };
    }
    let to = to.min(bytes.len());
    ((from, to), (to + width).min(bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::{template_words, words};

    fn named(source: &str, name: &str) -> Vec<String> {
        let all = words(source).into_iter();
        let named = all.filter(|it| &source[it.start..it.end] == name);
        named
            .map(|it| format!("{} {:?}", it.start, it.word))
            .collect()
    }

    #[test]
    fn a_field_is_told_from_members_functions_texts_and_items_of_loops() {
        let source = "contact != null && record.contact == 'contact' && tasks.all(contact, contact.id != '') && contact(1) // contact";
        let expected = [
            "0 Name(\"contact\")",
            "26 Member { root: \"record\", name: \"contact\" }",
            "38 Compared { with: \"record.contact\", text: \"contact\" }",
        ];
        assert_eq!(named(source, "contact"), expected);
    }

    #[test]
    fn a_text_is_held_against_what_stands_on_the_other_side() {
        let expected = |with: &str| format!("Compared {{ with: {with:?}, text: \"new\" }}");
        for (source, with) in [
            ("record.state == 'new'", "record.state"),
            ("\"new\" != record.state", "record.state"),
            ("record.state in ['old', 'new']", "record.state"),
            ("a && (kind == 'new')", "kind"),
        ] {
            let found = named(source, "new");
            assert!(
                found.len() == 1 && found[0].ends_with(&expected(with)),
                "{source}: {found:?}"
            );
        }
        for source in ["'new' in kinds", "kind + 'new'", "kind ? 'new' : ''"] {
            let found = named(source, "new");
            assert!(
                found.len() == 1 && found[0].ends_with("Text(\"new\")"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn the_keys_of_a_map_are_not_given() {
        let found = named("{'new': 'old', 'old': 'new'}[kind]", "new");
        assert_eq!(found, ["23 Text(\"new\")"]);
    }

    #[test]
    fn a_calendar_is_the_first_argument() {
        let found = named("business('office', a, b) > duration('8h')", "office");
        assert_eq!(
            found,
            ["10 Argument { function: \"business\", text: \"office\" }"]
        );
    }

    #[test]
    fn templates_are_text_but_for_their_brackets() {
        let source = "contact: {{ contact }}{% if contact %}{{ record.id }}{% endif %}{# contact #} contact {";
        let found = template_words(source).into_iter();
        let found: Vec<_> = found
            .filter(|it| &source[it.start..it.end] == "contact")
            .map(|it| it.start)
            .collect();
        assert_eq!(found, [12, 28]);
    }

    #[test]
    fn whatever_is_written_is_read_to_its_end() {
        for source in [
            "'abc", "'''", "'a\\", "é.é", "a.", "((", "]]", "{{", "{% x", "r'\\'", "1.5e", "''",
        ] {
            let _ = (words(source), template_words(source));
        }
    }
}
