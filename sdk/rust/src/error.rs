//! Why a hook or a look-up gave no answer.

use std::fmt;
use std::time::Duration;

/// What hooks and look-ups answer with.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no answer.
///
/// It is no [`std::error::Error`] itself, on purpose: only so can every standard error be turned
/// into one by `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The record or request is not what the plugin can work with; asking again would not help.
    InvalidInput(String),
    /// The binding's settings or grants do not fit; asking again would not help.
    Misconfigured(String),
    /// Something beyond the plugin gave no answer; asking again may help.
    Unavailable {
        /// What did not answer, and how.
        message: String,
        /// How long to wait before asking again, where that is known.
        after: Option<Duration>,
    },
    /// The plugin itself went wrong.
    Internal(String),
}

impl Error {
    /// The record or request is not what the plugin can work with.
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::InvalidInput(message.into())
    }

    /// The binding's settings or grants do not fit.
    pub fn misconfigured(message: impl Into<String>) -> Self {
        Self::Misconfigured(message.into())
    }

    /// Something beyond the plugin gave no answer.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable {
            message: message.into(),
            after: None,
        }
    }

    /// The plugin itself went wrong.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal(message.into())
    }

    /// What went wrong, without saying which kind of failure it is.
    pub fn message(&self) -> &str {
        match self {
            Self::InvalidInput(message)
            | Self::Misconfigured(message)
            | Self::Internal(message)
            | Self::Unavailable { message, .. } => message,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::InvalidInput(_) => "invalid input",
            Self::Misconfigured(_) => "misconfigured",
            Self::Unavailable { .. } => "unavailable",
            Self::Internal(_) => "internal error",
        };
        write!(f, "{kind}: {}", self.message())
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Internal(with_sources(&error))
    }
}

/// An error and all that caused it, in one line.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(": ");
        message.push_str(&cause.to_string());
        source = cause.source();
    }
    message
}

/// Says of a missing or failed value that the input was to blame.
pub trait OrInvalid<T> {
    /// The value, or [`Error::InvalidInput`] with this message and the reason.
    ///
    /// # Errors
    /// Where there is no value.
    fn or_invalid(self, message: &str) -> Result<T>;
}

impl<T, E: std::error::Error> OrInvalid<T> for std::result::Result<T, E> {
    fn or_invalid(self, message: &str) -> Result<T> {
        self.map_err(|error| Error::InvalidInput(format!("{message}: {}", with_sources(&error))))
    }
}

impl<T> OrInvalid<T> for Option<T> {
    fn or_invalid(self, message: &str) -> Result<T> {
        self.ok_or_else(|| Error::invalid_input(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standard_error_becomes_internal_by_question_mark() {
        fn parse() -> Result<u32> {
            Ok("twelve".parse()?)
        }
        assert_eq!(
            parse(),
            Err(Error::internal("invalid digit found in string"))
        );
    }

    #[test]
    fn the_input_can_be_blamed_instead() {
        let blamed = "twelve".parse::<u32>().or_invalid("the cost is no number");
        assert_eq!(
            blamed.unwrap_err().to_string(),
            "invalid input: the cost is no number: invalid digit found in string"
        );
        assert_eq!(
            None::<u8>
                .or_invalid("no cost given")
                .unwrap_err()
                .message(),
            "no cost given"
        );
    }
}
