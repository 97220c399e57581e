//! Goes wherever the answer to its request sends it.

use servicewright_sdk::Result;
use servicewright_sdk::http::Request;

use crate::Task;

pub(crate) fn run(task: &Task) -> Result<String> {
    let mut url = task.url.clone();
    for _ in 0..10 {
        let response = Request::get(url.clone()).send()?;
        match response.header("location") {
            Some(location) => location.clone_into(&mut url),
            None => return Ok(format!("{}", response.status)),
        }
    }
    Ok("round in circles".to_owned())
}
