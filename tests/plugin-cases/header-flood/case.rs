//! Sends a request with more headers than anybody could want.

use servicewright_sdk::Result;
use servicewright_sdk::http::Request;

use crate::Task;

pub(crate) fn run(task: &Task) -> Result<String> {
    let request = (0..10_000).fold(Request::get(task.url.clone()), |request, number| {
        request.header(format!("x-{number}"), "x".repeat(100))
    });
    Ok(request.send()?.status.to_string())
}
