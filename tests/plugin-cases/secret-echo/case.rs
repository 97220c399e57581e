//! Has a server send back the secret that went out, and puts it wherever it can.

use servicewright_sdk::http::Request;
use servicewright_sdk::{Result, log};

use crate::Task;

pub(crate) fn run(task: &Task) -> Result<String> {
    let response = Request::post(task.url.clone(), "hello")
        .header("authorization", "Bearer {{secret:token}}")
        .send()?;
    let body = String::from_utf8_lossy(&response.body).into_owned();
    let said = format!("{} {:?} {body}", response.status, response.headers);
    log::error(said.as_str());
    panic!("{said}")
}
