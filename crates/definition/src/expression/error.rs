//! What can be wrong with an expression: as it is written, and as it is evaluated.

use std::fmt;

use thiserror::Error;

use super::scan;

/// A fault in the text of an expression, and where in it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{problem}")]
pub struct ExpressionError {
    /// What is wrong, with what would be right where that can be told.
    pub problem: Problem,
    /// The byte of the expression at which the fault begins.
    pub offset: usize,
    /// How many bytes the fault covers; zero where something is missing.
    pub length: usize,
}

/// What is wrong with the text of an expression.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// There is nothing to evaluate.
    #[error("the expression is empty")]
    Empty,
    /// More bytes than an expression may have.
    #[error("the expression has {0} bytes; the most is {max}", max = scan::MAX_BYTES)]
    TooLong(usize),
    /// Brackets within brackets, deeper than is allowed.
    #[error("brackets stand more than {max} deep", max = scan::MAX_DEPTH)]
    TooDeep,
    /// More operators, selections and calls than are allowed.
    #[error("there are more than {max} operators, selections and calls; split the expression", max = scan::MAX_OPERATORS)]
    TooManyOperators,
    /// Loops within loops, deeper than is allowed.
    #[error("loops such as `all` and `map` stand more than {max} deep", max = scan::MAX_LOOPS)]
    TooManyLoops,
    /// Not CEL.
    #[error("{0}")]
    Syntax(String),
    /// CEL, but a part of it that is not offered here.
    #[error("{0}")]
    Unsupported(String),
    /// A name that is not in scope.
    #[error("`{name}` is not known here{suggestion}")]
    UnknownName {
        /// The name.
        name: String,
        /// What was probably meant.
        suggestion: Suggestion,
    },
    /// `now`, where what is written may change only with the record.
    #[error("`now` may not be read here: this changes only with the record")]
    NowNotAllowed,
    /// A function that does not exist.
    #[error("there is no function `{name}`{suggestion}")]
    UnknownFunction {
        /// The function's name.
        name: String,
        /// What was probably meant.
        suggestion: Suggestion,
    },
    /// A method that does not exist.
    #[error("there is no method `{name}`{suggestion}")]
    UnknownMethod {
        /// The method's name.
        name: String,
        /// What was probably meant.
        suggestion: Suggestion,
    },
    /// A member that the object does not have.
    #[error("{of} has no member `{member}`{suggestion}")]
    UnknownMember {
        /// What was selected from, as it is written or called.
        of: String,
        /// The member's name.
        member: String,
        /// What was probably meant.
        suggestion: Suggestion,
    },
    /// A calendar that does not exist.
    #[error("there is no calendar `{name}`{suggestion}")]
    UnknownCalendar {
        /// The calendar's id.
        name: String,
        /// What was probably meant.
        suggestion: Suggestion,
    },
    /// Text that none of the options is.
    #[error("`{value}` is not an option of {of}{suggestion}")]
    NotAnOption {
        /// The text.
        value: String,
        /// Whose options were meant.
        of: String,
        /// What was probably meant.
        suggestion: Suggestion,
    },
    /// A function or method given too few or too many arguments.
    #[error("`{name}` takes {takes}: write {usage}")]
    WrongArity {
        /// Its name.
        name: String,
        /// How many arguments it takes, in words.
        takes: String,
        /// An example.
        usage: String,
    },
    /// An operator or function given what it cannot work on.
    #[error("{0}")]
    IllTyped(String),
    /// The expression gives something else than is wanted of it.
    #[error("this gives {found}, but {expected} is wanted")]
    WrongResult {
        /// What it gives, in words.
        found: String,
        /// What is wanted, in words.
        expected: String,
    },
}

/// What was probably meant, if anything is near enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestion(pub Option<String>);

impl Suggestion {
    /// The candidate nearest to what was written, if it is near enough to be a slip.
    pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        let allowed = 1 + written.chars().count() / 4;
        let near = candidates
            .into_iter()
            .map(|candidate| (strsim::damerau_levenshtein(written, candidate), candidate))
            .filter(|(distance, _)| *distance <= allowed)
            .min();
        Self(near.map(|(_, candidate)| candidate.to_owned()))
    }
}

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .as_ref()
            .map_or(Ok(()), |meant| write!(f, "; did you mean `{meant}`?"))
    }
}

impl Problem {
    /// This fault, at the byte `offset`, `length` bytes long.
    pub(super) fn at(self, offset: usize, length: usize) -> ExpressionError {
        ExpressionError {
            problem: self,
            offset,
            length,
        }
    }
}

impl ExpressionError {
    /// What was probably meant in place of the fault, if anything is near enough.
    pub fn suggestion(&self) -> Option<&str> {
        match &self.problem {
            Problem::UnknownName { suggestion, .. }
            | Problem::UnknownFunction { suggestion, .. }
            | Problem::UnknownMethod { suggestion, .. }
            | Problem::UnknownMember { suggestion, .. }
            | Problem::UnknownCalendar { suggestion, .. }
            | Problem::NotAnOption { suggestion, .. } => suggestion.0.as_deref(),
            _ => None,
        }
    }
}

/// Why an expression gave nothing. It is then not true: it refuses the transition or skips the
/// row, and the journal keeps this sentence.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvaluationError {
    /// A variable that the caller did not provide.
    #[error("`{0}` has no value here")]
    UnknownName(String),
    /// An operator or function met null.
    #[error("{0} was given what is not set")]
    NotSet(String),
    /// An operator or function met values that it cannot work on.
    #[error("{operation} cannot be applied to {operands}")]
    Mismatch {
        /// The operator or function.
        operation: String,
        /// The types that it met.
        operands: String,
    },
    /// An object without this member.
    #[error("there is no member `{0}`")]
    NoMember(String),
    /// A list without that many items.
    #[error("there is no item {0} in the list")]
    NoItem(String),
    /// Division by zero, or its remainder.
    #[error("division by zero")]
    DivisionByZero,
    /// A result that no number, instant or duration can hold.
    #[error("the result of {0} is out of range")]
    OutOfRange(String),
    /// A list too long to go through.
    #[error("a list of {0} items is too long to go through; the most is {max}", max = super::MAX_ITEMS)]
    TooManyItems(usize),
    /// Text or a list grown past what an expression may build.
    #[error("the result of `+` grew too large")]
    TooLarge,
    /// A calendar that could not be asked.
    #[error("the calendar `{0}` gives no answer")]
    NoCalendar(String),
    /// A result of another type than is wanted.
    #[error("this gave {found}, but {expected} is wanted")]
    WrongResult {
        /// What it gave, in words.
        found: String,
        /// What is wanted, in words.
        expected: String,
    },
    /// Anything else that the evaluator reports.
    #[error("{0}")]
    Other(String),
    /// The evaluator gave up on a fault of its own.
    #[error("the evaluator failed: {0}")]
    Evaluator(String),
}
