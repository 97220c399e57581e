//! Evaluation: the caller's variables brought to the evaluator as they are asked for, and its
//! results and errors brought back in our own words.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use cel::common::ast::IdedExpr;
use cel::common::traits::Indexer;
use cel::common::types::{
    CelBool, CelDouble, CelDuration, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString,
    CelTimestamp, DYN_TYPE, Type as CelType,
};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, Env, ExecutionError, Value as CelValue};
use model::{Duration, Instant};
use regex::Regex;

use super::error::EvaluationError;
use super::lower::{BOUND, BUSINESS, ITEMS, MATCHES, OPEN};
use super::operators::symbol;
use super::term::Term;
use super::{MAX_ITEMS, MAX_TEXT, Variables};

/// The functions that expressions may call, set up once for all of them.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut environment = Env::stdlib().with_optional_support(false);
    environment
        .add_overload(ITEMS, "items", vec![DYN_TYPE], items)
        .expect("the name is ours alone");
    environment
        .add_overload(BOUND, "bound", vec![DYN_TYPE], bound)
        .expect("the name is ours alone");
    Arc::new(environment)
});

/// Marks the error of a function of ours that was given what it does not take.
const NOT_TAKEN: &str = "@not_taken";

/// Evaluates a lowered tree and hands its result to `take`.
pub(super) fn evaluate<T>(
    tree: &IdedExpr,
    patterns: &[Regex],
    variables: &dyn Variables,
    take: impl FnOnce(CelValue) -> Result<T, EvaluationError>,
) -> Result<T, EvaluationError> {
    let host = Host {
        variables,
        patterns,
    };
    let run = || {
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        context.set_variable_resolver(&host);
        // Not `resolve_val`, which would be compiled into this crate: without optimisation it
        // takes 50 KB of stack for each level of the tree.
        take(CelValue::resolve(tree, &context).map_err(explain)?)
    };
    // No input is known to make the evaluator panic; should one, it is this expression that
    // fails, not the command around it. Nothing is shared that it could leave half done.
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|payload| Err(EvaluationError::Evaluator(panic_text(&*payload))))
}

/// What a panic said.
pub(super) fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "for no given reason".to_owned())
}

/// The caller's variables, as the evaluator asks for them.
struct Host<'v> {
    variables: &'v dyn Variables,
    patterns: &'v [Regex],
}

impl VariableResolver for Host<'_> {
    /// The evaluator asks for `record.category` first and then, if that is nothing, for `record`.
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        let question = match name {
            OPEN => Question::Open,
            BUSINESS => Question::Business,
            MATCHES => Question::Matches,
            _ => {
                let term = match name.split_once('.') {
                    None => self.variables.variable(name),
                    Some((name, member)) if !member.contains('.') => {
                        self.variables.member(name, member)
                    }
                    Some(_) => None,
                };
                return term.map(|term| CowVal::Owned(into_cel(term)));
            }
        };
        Some(CowVal::owned(Asked {
            host: self,
            question,
        }))
    }
}

/// A question to the caller, whose arguments are given by indexing it with their list.
#[derive(Clone, Copy)]
struct Asked<'v> {
    host: &'v Host<'v>,
    question: Question,
}

#[derive(Clone, Copy, Debug)]
enum Question {
    Open,
    Business,
    Matches,
}

static QUESTION_TYPE: CelType = CelType::new_unspecified_type("question");

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.question.fmt(f)
    }
}

impl Val for Asked<'_> {
    fn get_type(&self) -> &CelType {
        &QUESTION_TYPE
    }

    fn cel_type() -> &'static CelType {
        &QUESTION_TYPE
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(*self)
    }
}

impl Indexer for Asked<'_> {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.answer(index).map(CowVal::Owned)
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.answer(index)
    }
}

impl Asked<'_> {
    fn answer(&self, index: &dyn Val) -> Result<Box<dyn Val>, ExecutionError> {
        let arguments = index
            .downcast_ref::<CelList>()
            .map(CelList::inner)
            .unwrap_or_default();
        match (self.question, arguments) {
            (Question::Open, [calendar, at]) => {
                let (calendar, at) = (
                    text(calendar.as_ref(), "open")?,
                    instant(at.as_ref(), "open")?,
                );
                let answer = self.host.variables.open(calendar, at);
                answer
                    .map(|open| CelBool::from(open).clone_as_boxed())
                    .ok_or_else(|| no_answer(calendar))
            }
            (Question::Business, [calendar, from, to]) => {
                let calendar = text(calendar.as_ref(), "business")?;
                let (from, to) = (
                    instant(from.as_ref(), "business")?,
                    instant(to.as_ref(), "business")?,
                );
                let answer = self.host.variables.business(calendar, from, to);
                answer
                    .map(duration_to_cel)
                    .ok_or_else(|| no_answer(calendar))
            }
            (Question::Matches, [subject, pattern]) => {
                let subject = text(subject.as_ref(), "matches")?;
                let number = pattern
                    .downcast_ref::<CelInt>()
                    .and_then(|number| usize::try_from(*number.inner()).ok());
                let pattern = number.and_then(|number| self.host.patterns.get(number));
                let pattern = pattern
                    .ok_or_else(|| ExecutionError::function_error("matches", "no such pattern"))?;
                Ok(CelBool::from(pattern.is_match(subject)).clone_as_boxed())
            }
            _ => Err(ExecutionError::function_error(
                "question",
                "wrong arguments",
            )),
        }
    }
}

fn text<'a>(value: &'a dyn Val, function: &str) -> Result<&'a str, ExecutionError> {
    value
        .downcast_ref::<CelString>()
        .map(CelString::inner)
        .ok_or_else(|| not_taken(value, function))
}

fn instant(value: &dyn Val, function: &str) -> Result<Instant, ExecutionError> {
    let time = value
        .downcast_ref::<CelTimestamp>()
        .ok_or_else(|| not_taken(value, function))?;
    Ok(Instant::from_utc(time.inner().to_utc()))
}

fn not_taken(value: &dyn Val, function: &str) -> ExecutionError {
    // Other errors the evaluator would replace by its own.
    ExecutionError::function_error(NOT_TAKEN, format!("{function}|{}", value.get_type().name()))
}

fn no_answer(calendar: &str) -> ExecutionError {
    ExecutionError::function_error(OPEN, calendar)
}

/// `@items`: the list itself, if it may be gone through. Objects may not: their order is not
/// the same each time.
fn items<'b, 'v>(mut arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let Some(argument) = arguments.pop() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let length = argument
        .downcast_ref::<CelList>()
        .map(|list| list.inner().len());
    match length {
        Some(length) if length <= MAX_ITEMS => Ok(argument),
        Some(length) => Err(ExecutionError::function_error(ITEMS, length)),
        None => Err(not_taken(argument.as_ref(), "a loop")),
    }
}

/// `@bound`: the value itself, if it is not too large.
fn bound<'b, 'v>(mut arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let Some(argument) = arguments.pop() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let text = argument
        .downcast_ref::<CelString>()
        .map_or(0, |text| text.inner().len());
    let items = argument
        .downcast_ref::<CelList>()
        .map_or(0, |list| list.inner().len());
    if text > MAX_TEXT || items > MAX_ITEMS {
        return Err(ExecutionError::function_error(BOUND, ""));
    }
    Ok(argument)
}

fn into_cel(term: Term) -> Box<dyn Val> {
    match term {
        Term::Null => Box::new(CelNull),
        Term::Boolean(value) => Box::new(CelBool::from(value)),
        Term::Integer(value) => Box::new(CelInt::from(value)),
        Term::Number(value) => Box::new(CelDouble::from(value)),
        Term::Text(value) => Box::new(CelString::from(value)),
        Term::Instant(value) => Box::new(CelTimestamp::from(value.to_utc().fixed_offset())),
        Term::Duration(value) => duration_to_cel(value),
        Term::List(items) => Box::new(CelList::from(
            items.into_iter().map(into_cel).collect::<Vec<_>>(),
        )),
        Term::Map(members) => {
            let members = members
                .into_iter()
                .map(|(name, term)| (CelMapKey::from(name), into_cel(term)));
            Box::new(CelMap::from(members.collect::<HashMap<_, _>>()))
        }
    }
}

fn duration_to_cel(duration: Duration) -> Box<dyn Val> {
    let millis = i64::try_from(duration.millis()).unwrap_or(i64::MAX);
    Box::new(CelDuration::from(
        chrono::Duration::try_milliseconds(millis).unwrap_or(chrono::Duration::MAX),
    ))
}

/// The result in our own words.
pub(super) fn from_cel(value: CelValue) -> Result<Term, EvaluationError> {
    Ok(match value {
        CelValue::Null => Term::Null,
        CelValue::Bool(value) => Term::Boolean(value),
        CelValue::Int(value) => Term::Integer(value),
        CelValue::Float(value) => Term::Number(value),
        CelValue::String(text) => Term::Text(Arc::unwrap_or_clone(text)),
        CelValue::Timestamp(time) => Term::Instant(Instant::from_utc(time.to_utc())),
        CelValue::Duration(length) => {
            let millis = u64::try_from(length.num_milliseconds()).map_err(|_| {
                EvaluationError::WrongResult {
                    found: "a negative duration".into(),
                    expected: "a length of time".into(),
                }
            })?;
            Term::Duration(Duration::from_millis(millis))
        }
        CelValue::List(items) => {
            let items = Arc::unwrap_or_clone(items).into_iter().map(from_cel);
            Term::List(items.collect::<Result<_, _>>()?)
        }
        CelValue::Map(members) => {
            let members = Arc::unwrap_or_clone(members.map).into_iter();
            let members = members.map(|(name, value)| Ok((name.to_string(), from_cel(value)?)));
            Term::Map(members.collect::<Result<_, _>>()?)
        }
        other => {
            return Err(EvaluationError::Other(format!(
                "the result is of type {}",
                other.type_of()
            )));
        }
    })
}

fn explain(error: ExecutionError) -> EvaluationError {
    match error {
        ExecutionError::UndeclaredReference(name) => EvaluationError::UnknownName(name.to_string()),
        ExecutionError::NoSuchKey(name) => EvaluationError::NoMember(name.to_string()),
        ExecutionError::NoSuchOverload(overload) => {
            mismatch(overload.function(), overload.argument_types())
        }
        ExecutionError::UnsupportedBinaryOperator(operator, left, right) => mismatch(
            word(operator),
            &[left.type_of().to_string(), right.type_of().to_string()],
        ),
        ExecutionError::UnexpectedType { got, want } if want == "bool" => {
            mismatch("a condition", &[got])
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            EvaluationError::DivisionByZero
        }
        ExecutionError::Overflow(operator, ..) => {
            EvaluationError::OutOfRange(format!("`{}`", word(operator)))
        }
        ExecutionError::IndexOutOfBounds(CelValue::Int(index)) => {
            EvaluationError::NoItem(index.to_string())
        }
        ExecutionError::FunctionError { function, message } => match function.as_str() {
            ITEMS => EvaluationError::TooManyItems(message.parse().unwrap_or(usize::MAX)),
            BOUND => EvaluationError::TooLarge,
            OPEN => EvaluationError::NoCalendar(message),
            NOT_TAKEN => {
                let (function, given) = message.split_once('|').unwrap_or((&message, ""));
                mismatch(function, &[given.to_owned()])
            }
            _ => EvaluationError::Other(format!("`{function}`: {}", shortened(&message))),
        },
        other => EvaluationError::Other(shortened(&other.to_string())),
    }
}

fn mismatch(operation: &str, operands: &[String]) -> EvaluationError {
    let operation = match operation {
        named @ ("a condition" | "a loop") => named.to_owned(),
        "_._" => "a selection".to_owned(),
        operator => format!("`{}`", symbol(operator)),
    };
    if operands
        .iter()
        .any(|operand| operand == "null_type" || operand == "null")
    {
        return EvaluationError::NotSet(operation);
    }
    let operands: Vec<&str> = operands.iter().map(|operand| type_name(operand)).collect();
    EvaluationError::Mismatch {
        operation,
        operands: operands.join(" and "),
    }
}

/// How the evaluator's names for arithmetic are written.
fn word(operator: &'static str) -> &'static str {
    match operator {
        "add" => "+",
        "sub" | "minus" | "negate" => "-",
        "mul" => "*",
        "div" => "/",
        "rem" => "%",
        other => other,
    }
}

fn type_name(cel: &str) -> &str {
    match cel {
        "bool" => "a boolean",
        "int" => "an integer",
        "double" | "float" => "a number",
        "string" => "text",
        "list" => "a list",
        "map" => "an object",
        "google.protobuf.Timestamp" | "timestamp" => "an instant",
        "google.protobuf.Duration" | "duration" => "a duration",
        other => other,
    }
}

fn shortened(message: &str) -> String {
    message.chars().take(200).collect()
}
