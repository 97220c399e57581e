//! The hook that looks at the outside world now and then.

pub use crate::commands::Command;
pub use crate::{Call, Result};

/// Answers at the times that the binding sets.
pub trait Schedule {
    /// Looks, and says what is to be done about it.
    ///
    /// # Errors
    /// Where it could not look.
    fn run(call: &Call) -> Result<Vec<Command>>;
}
