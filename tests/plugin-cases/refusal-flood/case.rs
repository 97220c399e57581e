//! Keeps asking for what it is refused: each refusal would be a line in the log.

use servicewright_sdk::Result;
use servicewright_sdk::http::Request;

pub(crate) fn run() -> Result<String> {
    let host = "x".repeat(200);
    loop {
        let _ = Request::get(format!("http://{host}.example/")).send();
    }
}
