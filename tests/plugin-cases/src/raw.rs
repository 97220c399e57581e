//! A request as a hostile plugin would make it: nothing about it is checked on the way to the server,
//! so that whatever keeps it from going out is the server's doing.

use servicewright_sdk::{Error, Result};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, Method, OutgoingRequest, Scheme};

use crate::Task;

/// Sends it: `url` is taken apart at the first `://` and the first slash after that, `about` is the
/// method, and `header` one header.
pub(crate) fn run(task: &Task) -> Result<String> {
    let refused = |what: &'static str| move |()| Error::misconfigured(format!("no {what}"));
    let parts = task.url.split_once("://");
    let (scheme, rest) = parts.ok_or_else(|| Error::misconfigured("no scheme"))?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let headers = Fields::new();
    if let Some((name, value)) = task.header.split_once(": ") {
        let appended = headers.append(name, value.as_bytes());
        appended.map_err(|error| Error::misconfigured(format!("no header: {error:?}")))?;
    }
    let request = OutgoingRequest::new(headers);
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let method = match task.about.as_str() {
        "" => Method::Get,
        "CONNECT" => Method::Connect,
        "TRACE" => Method::Trace,
        other => Method::Other(other.to_owned()),
    };
    // A path that begins with a bar is one without a slash before it.
    let path = path.strip_prefix("/|").unwrap_or(path);
    request.set_method(&method).map_err(refused("method"))?;
    request
        .set_scheme(Some(&scheme))
        .map_err(refused("scheme"))?;
    request
        .set_authority(Some(authority))
        .map_err(refused("authority"))?;
    request
        .set_path_with_query(Some(path))
        .map_err(refused("path"))?;
    let unavailable = |error| Error::unavailable(format!("{error:?}"));
    let pending = outgoing_handler::handle(request, None).map_err(unavailable)?;
    pending.subscribe().block();
    match pending.get() {
        Some(Ok(Ok(response))) => Ok(response.status().to_string()),
        Some(Ok(Err(error))) => Err(unavailable(error)),
        _ => Err(Error::internal("a response was taken twice")),
    }
}
