//! Text that is meant to do harm, or is no text of anybody's at all. Each case runs on a thread
//! with the stack that a test or a server's worker has; an overflow would end the process.

use proptest::prelude::*;

use super::super::scan::scan;
use super::super::{EvaluationError, Expression, Scope, Term, Type};
use super::{scope, world};

/// Compiles and, if that goes well, evaluates; only the way out matters.
fn survive(source: &str) -> Option<Result<Term, EvaluationError>> {
    survive_in(&scope(), source)
}

fn survive_in(scope: &Scope, source: &str) -> Option<Result<Term, EvaluationError>> {
    match Expression::compile(source, scope, &Type::Any) {
        Ok(expression) => Some(expression.evaluate(&world())),
        Err(error) => {
            let end = error.offset + error.length;
            assert!(
                source.get(error.offset..end).is_some(),
                "{error:?} lies outside of {source:?}"
            );
            assert!(error.to_string().len() < 2000, "{error}");
            None
        }
    }
}

/// A scope that knows the names and nothing of their types, so that the check lets nearly all
/// through and the evaluator meets what it cannot work on.
fn blind_scope() -> Scope {
    let names = world().0.into_keys();
    names.fold(Scope::new(), |scope, name| scope.with(name, Type::Any))
}

#[test]
fn huge_texts_are_refused_at_once() {
    const MANY: usize = 100_000;
    for source in [
        "(".repeat(MANY),
        format!("{}1{}", "(".repeat(MANY), ")".repeat(MANY)),
        "[".repeat(MANY),
        "{'a':".repeat(MANY),
        "!".repeat(MANY) + "major",
        "-".repeat(MANY) + "cost",
        vec!["major"; MANY].join("&&"),
        vec!["cost"; MANY].join("+"),
        "record".to_owned() + &".id".repeat(MANY),
        "labels".to_owned() + &"[0]".repeat(MANY),
        "summary".to_owned() + &".size()".repeat(MANY),
        "major ? 1 : ".repeat(MANY) + "2",
        "major ? ".repeat(MANY) + "1",
        "size(".repeat(MANY),
        "'".repeat(MANY),
        "\"".repeat(MANY + 1),
        "\\".repeat(MANY),
        "é".repeat(MANY),
        "\u{202e}".repeat(MANY),
        "\0".repeat(MANY),
        "a ".repeat(MANY),
        "1in ".repeat(MANY),
    ] {
        assert!(survive(&source).is_none());
    }
}

#[test]
fn the_worst_that_the_limits_let_through_needs_little_stack() {
    let deep = |open: &str, close: &str| format!("{}major{}", open.repeat(8), close.repeat(8));
    let mut sources = vec![
        deep("(", ")"),
        deep("[", "]"),
        deep("{'a':", "}"),
        deep("string(", ")"),
        deep("!(", ")"),
        deep("(true ? true : ", ")"),
        deep("(major && true && true && true && true && ", ")"),
        "[1][-(".repeat(4) + "0" + &")]".repeat(4),
        "!".repeat(40) + "major",
        "-".repeat(40) + "cost",
        vec!["major"; 41].join("||"),
        vec!["cost"; 41].join("+"),
        vec!["cost"; 41].join("<"),
        vec!["cost"; 41].join(" in "),
        "anything".to_owned() + &".a".repeat(40),
        "anything".to_owned() + &"[0]".repeat(40),
        "major ? 1 : ".repeat(40) + "2",
        "labels".to_owned() + &".map(x, x)".repeat(19),
        "labels.map(x, size(labels.filter(y, y == x)))".to_owned() + &".map(x, x)".repeat(15),
    ];
    // All of it together: each bracket with its share of the chain.
    let five = ["&&", "==", "+", "*", "<"]
        .map(|operator| format!("{operator} major "))
        .concat();
    sources.push(format!(
        "{}major{}",
        format!("(major {five}&& ").repeat(6),
        ")".repeat(6)
    ));
    sources.push(format!(
        "{}major{}",
        "(major ? major : ".repeat(8),
        ")".repeat(8) + &" || major".repeat(30)
    ));
    // Half the stack that threads have by default.
    let run = move || {
        for source in sources {
            assert_eq!(scan(&source), Ok(()), "{source} is within the limits");
            survive(&source);
        }
    };
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(run)
        .expect("a thread")
        .join()
        .expect("no panic");
}

#[test]
fn errors_in_the_middle_of_the_grammar_are_survived() {
    for source in [
        "a b c d e f",
        "1 2 3 4",
        "'a' 'b' 'c'",
        ", , ,",
        ": : :",
        "? ? ?",
        "[,]",
        "{,}",
        "{a}",
        "{:}",
        "f(,)",
        "a..b",
        "a.?b",
        "a[?0]",
        "[?a]",
        "{?'a': 1}",
        "in in in",
        "in",
        "true false",
        "null.a",
        "has()",
        "has(a.b, 1)",
        "has(has(a.b))",
        "x.has(y)",
        "all(x, y)",
        "[].all(a.b, true)",
        "[].map(x)",
        "[].map(x, y, z, w)",
        "''''''",
        "r''''''",
        "b''.size()",
        "'\\u{41}'",
        "'\\ud800'",
        "'\\U00110000'",
        "'\\xff\\377'",
        "0x",
        "0xffffffffffffffffff",
        "1e999",
        "1.",
        ".5",
        "-.5",
        "1..2",
        "a.1",
        "1.a",
        "a.b{c: 1}",
        ".a{}",
        "{1: 2, 1: 3}",
        "{null: 1}",
        "{'a': 1, 'a': 2}",
        "[1, 2,]",
        "{'a': 1,}",
        "f(1,)",
        "a // b",
        "//",
        "a /* b */",
        "a\u{a0}b",
        "@result",
        "@items([])",
        "__comp",
        "-9223372036854775808",
        "9223372036854775808",
        "- 9223372036854775808",
        "int('x')",
        "double('NaN') == 1.0",
        "duration('0')",
        "duration('-9999999h')",
        "duration('999999999999h')",
        "now + duration('2500000h')",
        "now - duration('-2500000h') * 2",
        "timestamp('0001-01-01T00:00:00Z') - duration('1h')",
        "timestamp('9999-12-31T23:59:59Z') - timestamp('0001-01-01T00:00:00Z')",
        "-9223372036854775807 - 2",
        "-9223372036854775808 / -1",
        "-9223372036854775808 % -1",
        "-(-9223372036854775807 - 1)",
        "5 % 0",
        "0.0 / 0.0 == 1.0",
        "int(1e300)",
        "int(0.0 / 0.0)",
        "string(0.0 / 0.0)",
        "labels[-1]",
        "labels[9223372036854775807]",
        "type(1)",
        "dyn(1)",
        "optional.of(1)",
    ] {
        survive(source);
    }
}

/// The tokens of the language and of the scope, valid or not.
const TOKENS: &[&str] = &[
    "impact",
    "cost",
    "major",
    "summary",
    "labels",
    "tasks",
    "record",
    "service",
    "anything",
    "now",
    "x",
    "t",
    "rate",
    "true",
    "false",
    "null",
    "in",
    "1",
    "0",
    "-1",
    "2.5",
    "9223372036854775807",
    "1u",
    "0x1f",
    "'high'",
    "'p1'",
    "''",
    "\"é\"",
    "'''a'''",
    "r'\\'",
    "b'a'",
    "'8h'",
    "'office'",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "?",
    ".",
    "..",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "!",
    "-",
    "+",
    "*",
    "/",
    "%",
    "=",
    "&",
    "size",
    "has",
    "open",
    "business",
    "duration",
    "timestamp",
    "string",
    "int",
    "double",
    "contains",
    "matches",
    "all",
    "exists",
    "exists_one",
    "map",
    "filter",
    "category",
    "owner",
    "id",
    "deep",
    "getHours",
    "//",
    "\n",
    "`a`",
    "@",
    "'",
];

/// Expressions that mostly compile, so that the evaluator gets its share.
fn plausible() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "impact",
        "cost",
        "major",
        "summary",
        "labels",
        "tasks",
        "record.category",
        "service.owner",
        "anything",
        "anything.deep",
        "now",
        "rate",
        "true",
        "null",
        "0",
        "-1",
        "2.5",
        "9223372036854775807",
        "'high'",
        "'p1'",
        "planned_start",
        "duration('8h')",
        "[]",
        "x",
        "[1, 'a', null]",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(5, 24, 3, |inner| {
        let operator = prop::sample::select(vec![
            "==", "!=", "<", ">=", "&&", "||", "+", "-", "*", "/", "%", "in",
        ]);
        let call = prop::sample::select(vec![
            "size",
            "string",
            "int",
            "double",
            "timestamp",
            "duration",
            "!",
            "-",
            "has",
        ]);
        let method = prop::sample::select(vec!["all", "exists", "exists_one", "filter", "map"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (call, inner.clone()).prop_map(|(call, a)| format!("{call}({a})")),
            (inner.clone(), method, inner.clone())
                .prop_map(|(a, method, b)| format!("{a}.{method}(x, {b})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("business(string({a}), {b}, {c})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_survived(source in "\\PC{0,200}") {
        survive(&source);
    }

    #[test]
    fn any_bytes_of_ascii_are_survived(source in "[ -~\\n]{0,120}") {
        survive(&source);
    }

    #[test]
    fn any_soup_of_tokens_is_survived(tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..60), spaced in any::<bool>()) {
        survive(&tokens.join(if spaced { " " } else { "" }));
    }

    #[test]
    fn evaluation_never_panics(source in plausible()) {
        for scope in [scope(), blind_scope()] {
            let Some(Err(error)) = survive_in(&scope, &source) else { continue };
            prop_assert!(!matches!(error, EvaluationError::Evaluator(_)), "{source}: {error}");
        }
    }
}
