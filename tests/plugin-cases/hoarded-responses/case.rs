//! Begins many requests whose answers are large, and leaves all of the answers with the server.

use servicewright_sdk::{Error, Result};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, OutgoingRequest, Scheme};

use crate::Task;

pub(crate) fn run(task: &Task) -> Result<String> {
    let authority = task.url.trim_start_matches("http://");
    let refused = |()| Error::misconfigured("no address");
    let mut pending = Vec::new();
    for _ in 0..40 {
        let request = OutgoingRequest::new(Fields::new());
        request.set_scheme(Some(&Scheme::Http)).map_err(refused)?;
        request.set_authority(Some(authority)).map_err(refused)?;
        request.set_path_with_query(Some("/")).map_err(refused)?;
        let sent = outgoing_handler::handle(request, None);
        pending.push(sent.map_err(|error| Error::unavailable(format!("{error:?}")))?);
    }
    let mut taken = Vec::new();
    for response in &pending {
        response.subscribe().block();
        match response.get() {
            Some(Ok(Ok(response))) => taken.push(response),
            Some(Ok(Err(error))) => return Err(Error::unavailable(format!("{error:?}"))),
            _ => return Err(Error::internal("a response was taken twice")),
        }
    }
    Ok(format!("{} answers", taken.len()))
}
