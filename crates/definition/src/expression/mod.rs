//! Expressions: the conditions and computed values of definitions, in CEL.
//!
//! An expression is compiled once, when its definition is loaded, and evaluated often. Compiling
//! goes in four steps: [`scan`] refuses what is too long, deep or wide for the parser; the parser
//! makes a tree; [`check`] holds it to the names and types of its [`Scope`]; [`lower`] puts our
//! own limits and questions to the caller into it. The CEL implementation shows nowhere outside
//! of this module.

mod check;
mod error;
mod evaluate;
mod functions;
mod lower;
mod operators;
mod places;
mod scan;
mod syntax;
mod term;
#[cfg(test)]
mod tests;
mod types;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use cel::common::ast::IdedExpr;
use model::{Duration, Instant};
use regex::Regex;

pub use check::Read;
pub use error::{EvaluationError, ExpressionError, Problem, Suggestion};
pub use scan::{MAX_BYTES, MAX_DEPTH, MAX_LOOPS, MAX_OPERATORS};
pub use term::Term;
pub use types::{Object, Scope, Type, is_usable_name};

/// The longest list that may be gone through, or built with `+`.
pub const MAX_ITEMS: usize = 100;
/// The longest text that `+` may build, in bytes.
pub const MAX_TEXT: usize = 65_536;

/// A checked expression. Cheap to clone.
#[derive(Clone)]
pub struct Expression(Arc<Compiled>);

struct Compiled {
    source: String,
    tree: IdedExpr,
    patterns: Vec<Regex>,
    reads: Vec<Read>,
    calendars: BTreeSet<String>,
    computes_calendar: bool,
}

/// What an expression reads while it is evaluated. It is asked only for what the evaluation
/// comes across, and again each time the expression reads the same.
pub trait Variables: Sync {
    /// The value of a name in scope: null where it is not set. `None`, where there is no such
    /// name at all, makes the evaluation fail.
    ///
    /// Give what the scope calls a number as [`Term::Number`] and what it calls an integer as
    /// [`Term::Integer`].
    fn variable(&self, name: &str) -> Option<Term>;

    /// One member of a name in scope, where it can be had without the others. `None` where it
    /// cannot; [`variable`](Self::variable) is asked then.
    fn member(&self, name: &str, member: &str) -> Option<Term> {
        let _ = (name, member);
        None
    }

    /// Whether the calendar is open at the instant; `None` where there is no such calendar.
    fn open(&self, calendar: &str, at: Instant) -> Option<bool>;

    /// The business time of the calendar between two instants; `None` where there is no such
    /// calendar.
    fn business(&self, calendar: &str, from: Instant, to: Instant) -> Option<Duration>;
}

impl Expression {
    /// Compiles CEL that may use the names of `scope` and whose value goes where `wanted` is.
    ///
    /// # Errors
    /// The first fault found: past a limit ([`MAX_BYTES`], [`MAX_DEPTH`], [`MAX_OPERATORS`],
    /// [`MAX_LOOPS`]), not CEL, a name that is not in scope, or types that do not go together.
    pub fn compile(source: &str, scope: &Scope, wanted: &Type) -> Result<Self, ExpressionError> {
        scan::scan(source)?;
        let program = syntax::parse(source)?;
        let findings = check::check(
            source,
            program.expression(),
            program.source_info(),
            scope,
            wanted,
        )?;
        let tree = lower::lower(program.expression().clone(), &findings);
        Ok(Self(Arc::new(Compiled {
            source: source.to_owned(),
            tree,
            patterns: findings.patterns,
            reads: findings.reads,
            calendars: findings.calendars,
            computes_calendar: findings.computes_calendar,
        })))
    }

    /// Its text.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Its value.
    ///
    /// # Errors
    /// When it meets null or a value of another type where the operator or function cannot work
    /// on it, a member or item that is not there, a number out of range, a list of more than
    /// [`MAX_ITEMS`] to go through, or a calendar that gives no answer.
    pub fn evaluate(&self, variables: &dyn Variables) -> Result<Term, EvaluationError> {
        evaluate::evaluate(
            &self.0.tree,
            &self.0.patterns,
            variables,
            evaluate::from_cel,
        )
    }

    /// Whether it is true. Null is an error, as is every value but true and false.
    ///
    /// # Errors
    /// Those of [`evaluate`](Self::evaluate), and a value that is not a boolean.
    pub fn holds(&self, variables: &dyn Variables) -> Result<bool, EvaluationError> {
        evaluate::evaluate(&self.0.tree, &self.0.patterns, variables, |value| {
            match evaluate::from_cel(value)? {
                Term::Boolean(value) => Ok(value),
                other => Err(other.is_not(&Type::Boolean)),
            }
        })
    }

    /// Each name and member that it reads, in the order of its text, with its place there.
    pub fn reads(&self) -> &[Read] {
        &self.0.reads
    }

    /// The names in scope that it reads, each once: fields, `record`, `tasks`, `now`, …
    pub fn references(&self) -> BTreeSet<&str> {
        let first = |read: &'_ Read| read.path.split('.').next().map(str::len);
        self.0
            .reads
            .iter()
            .filter_map(|read| Some(&read.path[..first(read)?]))
            .collect()
    }

    /// The members that it reads of a name in scope, or of the items of a list of that name:
    /// `category` for `tasks` in `tasks.all(t, t.category == 'closed')`. `name` may be a path,
    /// such as `links.caused_by`.
    pub fn selected_members(&self, name: &str) -> BTreeSet<&str> {
        let after = |read: &'_ Read| {
            read.path
                .strip_prefix(name)?
                .strip_prefix('.')
                .map(str::len)
        };
        let rest = self
            .0
            .reads
            .iter()
            .filter_map(|read| Some(&read.path[read.path.len() - after(read)?..]));
        rest.filter_map(|rest| rest.split('.').next()).collect()
    }

    /// Whether it reads `now`, so that its value may change with time alone.
    pub fn reads_now(&self) -> bool {
        self.0.reads.iter().any(|read| read.path == "now")
    }

    /// The calendars that it names.
    pub fn calendars(&self) -> &BTreeSet<String> {
        &self.0.calendars
    }

    /// Whether it asks a calendar whose name it computes, so that it may ask any.
    pub fn asks_any_calendar(&self) -> bool {
        self.0.computes_calendar
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.0.source).finish()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.source)
    }
}

impl PartialEq for Expression {
    /// Two expressions are equal if their texts are.
    fn eq(&self, other: &Self) -> bool {
        self.0.source == other.0.source
    }
}
