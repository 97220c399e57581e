//! Logs more lines than are kept, and answers: that is bad manners, and no reason to do without it.

use servicewright_sdk::{Result, log};

pub(crate) fn run() -> Result<String> {
    (0..1_000).for_each(|line| log::info(format!("line {line}")));
    Ok("done".to_owned())
}
