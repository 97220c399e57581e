//! Makes one request after the other.

use servicewright_sdk::Result;
use servicewright_sdk::http::Request;

use crate::Task;

pub(crate) fn run(task: &Task) -> Result<String> {
    for _ in 0..60 {
        Request::get(task.url.clone()).send()?;
    }
    Ok("all answered".to_owned())
}
