//! The functions and methods that expressions may use, and what each takes and gives.

use cel::common::ast::IdedExpr;
use model::Instant;
use regex::RegexBuilder;

use super::check::{Change, Checked, Checker, Typed, literal_text};
use super::error::{ExpressionError, Problem, Suggestion};
use super::types::Type;

/// The longest pattern that `matches` takes, in bytes.
const MAX_PATTERN: usize = 200;
/// The most memory that a compiled pattern may take, in bytes.
const MAX_PATTERN_MEMORY: usize = 1 << 20;

/// A function or method: its name, how many arguments it takes, and an example.
struct Signature {
    name: &'static str,
    least: usize,
    most: usize,
    usage: &'static str,
}

const fn takes(name: &'static str, least: usize, most: usize, usage: &'static str) -> Signature {
    Signature {
        name,
        least,
        most,
        usage,
    }
}

const FUNCTIONS: [Signature; 9] = [
    takes("size", 1, 1, "size(tasks)"),
    takes("has", 1, 1, "has(service.owner)"),
    takes("open", 2, 2, "open('office', now)"),
    takes(
        "business",
        3,
        3,
        "business('office', record.created_at, now)",
    ),
    takes("duration", 1, 1, "duration('8h')"),
    takes("timestamp", 1, 1, "timestamp('2026-03-01T09:30:00Z')"),
    takes("string", 1, 1, "string(cost)"),
    takes("int", 1, 1, "int('42')"),
    takes("double", 1, 1, "double(cost)"),
];

const METHODS: [Signature; 21] = [
    takes("size", 0, 0, "tasks.size()"),
    takes("contains", 1, 1, "summary.contains('printer')"),
    takes("startsWith", 1, 1, "summary.startsWith('Re:')"),
    takes("endsWith", 1, 1, "summary.endsWith('?')"),
    takes("matches", 1, 1, "summary.matches('^[A-Z]{3}')"),
    takes("all", 2, 2, "tasks.all(t, t.category == 'closed')"),
    takes("exists", 2, 2, "tasks.exists(t, t.category == 'open')"),
    takes(
        "exists_one",
        2,
        2,
        "tasks.exists_one(t, t.category == 'open')",
    ),
    takes(
        "existsOne",
        2,
        2,
        "tasks.existsOne(t, t.category == 'open')",
    ),
    takes("filter", 2, 2, "tasks.filter(t, t.category == 'open')"),
    takes("map", 2, 3, "tasks.map(t, t.id)"),
    takes("getFullYear", 0, 1, "now.getFullYear('Europe/Brussels')"),
    takes("getMonth", 0, 1, "now.getMonth('Europe/Brussels')"),
    takes("getDate", 0, 1, "now.getDate('Europe/Brussels')"),
    takes(
        "getDayOfMonth",
        0,
        1,
        "now.getDayOfMonth('Europe/Brussels')",
    ),
    takes("getDayOfWeek", 0, 1, "now.getDayOfWeek('Europe/Brussels')"),
    takes("getDayOfYear", 0, 1, "now.getDayOfYear('Europe/Brussels')"),
    takes("getHours", 0, 1, "now.getHours('Europe/Brussels')"),
    takes("getMinutes", 0, 1, "now.getMinutes('Europe/Brussels')"),
    takes("getSeconds", 0, 1, "now.getSeconds()"),
    takes("getMilliseconds", 0, 1, "now.getMilliseconds()"),
];

/// Whether a function, not a method, has this name.
pub(super) fn is_function(name: &str) -> bool {
    FUNCTIONS.iter().any(|function| function.name == name)
}

/// An example of the function's use.
pub(super) fn usage(name: &str) -> &'static str {
    FUNCTIONS
        .iter()
        .find(|function| function.name == name)
        .map_or("", |function| function.usage)
}

impl Signature {
    fn check_arity(&self, given: usize) -> Result<(), Problem> {
        if (self.least..=self.most).contains(&given) {
            return Ok(());
        }
        let plural = if self.most == 1 { "" } else { "s" };
        let takes = match (self.least, self.most) {
            (_, 0) => "no argument".to_owned(),
            (least, most) if least == most => format!("{least} argument{plural}"),
            (least, most) => format!("{least} to {most} argument{plural}"),
        };
        Err(Problem::WrongArity {
            name: self.name.to_owned(),
            takes,
            usage: self.usage.to_owned(),
        })
    }
}

impl Checker<'_> {
    pub(super) fn function(
        &mut self,
        tree: &IdedExpr,
        name: &str,
        arguments: &[IdedExpr],
    ) -> Checked {
        let Some(signature) = FUNCTIONS.iter().find(|function| function.name == name) else {
            if let Some(method) = METHODS.iter().find(|method| method.name == name) {
                return Err(self.ill(
                    tree,
                    format!("`{name}` is a method: write {}", method.usage),
                ));
            }
            let suggestion =
                Suggestion::nearest(name, FUNCTIONS.iter().map(|function| function.name));
            return Err(self.wrong(
                tree,
                Problem::UnknownFunction {
                    name: name.to_owned(),
                    suggestion,
                },
            ));
        };
        signature
            .check_arity(arguments.len())
            .map_err(|problem| self.wrong(tree, problem))?;
        let kinds = arguments
            .iter()
            .map(|argument| self.infer(argument).map(|typed| typed.kind))
            .collect::<Result<Vec<_>, _>>()?;
        let first = kinds.first().map_or(&Type::Any, Type::core);
        let result = match name {
            "open" | "business" => {
                self.calendar(&arguments[0], &kinds[0])?;
                for (argument, kind) in arguments.iter().zip(&kinds).skip(1) {
                    self.instant(argument, kind)?;
                }
                let (change, gives) = if name == "open" {
                    (Change::Open, Type::Boolean)
                } else {
                    (Change::Business, Type::Duration)
                };
                self.findings.changes.insert(tree.id, change);
                return Ok(gives.into());
            }
            "duration" if first.is_text() => {
                if let Some(text) = literal_text(&arguments[0])
                    && !is_duration(text)
                {
                    let message =
                        format!("`{text}` is not a duration{}", duration_hint(Some(text)));
                    return Err(self.ill(&arguments[0], message));
                }
                Some(Type::Duration)
            }
            "timestamp" if first.is_text() || *first == Type::Instant => {
                if let Some(Err(error)) = literal_text(&arguments[0]).map(str::parse::<Instant>) {
                    return Err(self.ill(&arguments[0], error.to_string()));
                }
                Some(Type::Instant)
            }
            "size" if first.is_text() || matches!(first, Type::List(_) | Type::Object(_)) => {
                Some(Type::Integer)
            }
            "int" if first.is_numeric() || first.is_text() || *first == Type::Instant => {
                Some(Type::Integer)
            }
            "double" if first.is_numeric() || first.is_text() => Some(Type::Number),
            "string" if !matches!(first, Type::Null | Type::List(_) | Type::Object(_)) => {
                Some(Type::Text)
            }
            _ => None,
        };
        result.map(Typed::from).ok_or_else(|| {
            self.ill(
                tree,
                format!("`{name}` does not take {first}: write {}", signature.usage),
            )
        })
    }

    pub(super) fn method(
        &mut self,
        tree: &IdedExpr,
        target: &IdedExpr,
        name: &str,
        arguments: &[IdedExpr],
    ) -> Checked {
        // The receiver first: a slip in it comes first in the text too.
        let of = self.infer(target)?.kind;
        let Some(signature) = METHODS.iter().find(|method| method.name == name) else {
            if is_function(name) {
                return Err(self.ill(
                    tree,
                    format!("`{name}` is a function: write {}", usage(name)),
                ));
            }
            let suggestion = Suggestion::nearest(name, METHODS.iter().map(|method| method.name));
            return Err(self.wrong(
                tree,
                Problem::UnknownMethod {
                    name: name.to_owned(),
                    suggestion,
                },
            ));
        };
        signature
            .check_arity(arguments.len())
            .map_err(|problem| self.wrong(tree, problem))?;
        let kinds = arguments
            .iter()
            .map(|argument| self.infer(argument).map(|typed| typed.kind))
            .collect::<Result<Vec<_>, _>>()?;
        let core = of.core();
        let result = match name {
            "size" if core.is_text() || matches!(core, Type::List(_) | Type::Object(_)) => {
                Some(Type::Integer)
            }
            "contains" | "startsWith" | "endsWith" | "matches"
                if core.is_text() && kinds[0].is_text() =>
            {
                if name == "matches" {
                    self.pattern(tree, &arguments[0])?;
                }
                Some(Type::Boolean)
            }
            "getHours" | "getMinutes" | "getSeconds" | "getMilliseconds"
                if matches!(core, Type::Duration | Type::Any) && arguments.is_empty() =>
            {
                Some(Type::Integer)
            }
            _ if name.starts_with("get") && matches!(core, Type::Instant | Type::Any) => {
                if let Some(argument) = arguments.first() {
                    self.zone(argument, &kinds[0])?;
                }
                Some(Type::Integer)
            }
            _ => None,
        };
        result.map(Typed::from).ok_or_else(|| {
            let (text, list) = (self.text_of(target), matches!(core, Type::List(_)));
            let hint = if name == "contains" && list {
                format!("; write x in {text}")
            } else {
                String::new()
            };
            let given = kinds
                .first()
                .map(|kind| format!(" with {kind}"))
                .unwrap_or_default();
            self.ill(tree, format!("`{name}` does not work on {of}{given}{hint}"))
        })
    }

    fn calendar(&mut self, argument: &IdedExpr, kind: &Type) -> Result<(), ExpressionError> {
        let Some(name) = literal_text(argument) else {
            self.findings.computes_calendar = true;
            return if kind.is_text() {
                Ok(())
            } else {
                Err(self.ill(argument, format!("a calendar is text, not {kind}")))
            };
        };
        if !self.scope.calendars().contains(name) {
            let suggestion =
                Suggestion::nearest(name, self.scope.calendars().iter().map(String::as_str));
            return Err(self.wrong(
                argument,
                Problem::UnknownCalendar {
                    name: name.to_owned(),
                    suggestion,
                },
            ));
        }
        self.findings.calendars.insert(name.to_owned());
        Ok(())
    }

    fn instant(&self, argument: &IdedExpr, kind: &Type) -> Result<(), ExpressionError> {
        if matches!(kind.core(), Type::Instant | Type::Any) {
            return Ok(());
        }
        let hint = if kind.is_text() {
            "; write timestamp('2026-03-01T09:30:00Z')"
        } else {
            ""
        };
        Err(self.ill(
            argument,
            format!("an instant is wanted here, not {kind}{hint}"),
        ))
    }

    fn zone(&self, argument: &IdedExpr, kind: &Type) -> Result<(), ExpressionError> {
        match literal_text(argument) {
            Some(name) if name.parse::<chrono_tz::Tz>().is_err() => Err(self.ill(
                argument,
                format!("`{name}` is not a time zone such as Europe/Brussels"),
            )),
            None if !kind.is_text() => {
                Err(self.ill(argument, format!("a time zone is text, not {kind}")))
            }
            _ => Ok(()),
        }
    }

    /// Compiles the pattern of `matches` once, where its cost can be bounded.
    fn pattern(&mut self, tree: &IdedExpr, argument: &IdedExpr) -> Result<(), ExpressionError> {
        let Some(pattern) = literal_text(argument) else {
            return Err(self.ill(
                argument,
                "the pattern of `matches` must be written out".into(),
            ));
        };
        if pattern.len() > MAX_PATTERN {
            return Err(self.ill(
                argument,
                format!("the pattern has more than {MAX_PATTERN} bytes"),
            ));
        }
        let compiled = RegexBuilder::new(pattern)
            .size_limit(MAX_PATTERN_MEMORY)
            .dfa_size_limit(MAX_PATTERN_MEMORY)
            .nest_limit(20)
            .build();
        match compiled {
            Ok(compiled) => {
                self.findings
                    .changes
                    .insert(tree.id, Change::Matches(self.findings.patterns.len()));
                self.findings.patterns.push(compiled);
                Ok(())
            }
            Err(error) => {
                let reason = error.to_string();
                let reason = reason
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ")
                    .to_owned();
                Err(self.ill(argument, format!("the pattern is wrong: {reason}")))
            }
        }
    }
}

/// CEL's way to write the duration that was probably meant.
pub(super) fn duration_hint(text: Option<&str>) -> String {
    let meant = text
        .and_then(|text| text.parse::<model::Duration>().ok())
        .filter(|duration| duration.millis() > 0);
    let Some(meant) = meant else {
        return "; write duration('8h'), duration('1h30m')".to_owned();
    };
    let iso = meant.to_string();
    format!(
        "; write duration('{}')",
        iso.trim_start_matches("PT").to_ascii_lowercase()
    )
}

/// Whether `duration` reads it: a sign, then numbers with their units.
fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix('-').unwrap_or(text);
    if rest == "0" {
        return true;
    }
    let begins = !rest.is_empty();
    while !rest.is_empty() {
        let number = rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
                .len();
        let (digits, tail) = rest.split_at(number);
        let tail = ["ms", "us", "ns", "h", "m", "s"]
            .iter()
            .find_map(|unit| tail.strip_prefix(unit));
        match tail {
            Some(tail) if digits.len() <= 12 && digits.parse::<f64>().is_ok() => rest = tail,
            _ => return false,
        }
    }
    begins
}
