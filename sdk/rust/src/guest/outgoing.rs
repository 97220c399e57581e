//! Sends a request by `wasi:http/outgoing-handler`, in plain calls: no runtime, a small component.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Headers, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme,
};
use wasip2::io::streams::StreamError;

use super::convert::millis;
use crate::http::{MAX_RESPONSE_BYTES, Request, Response};
use crate::{Error, Result};

/// The most that one write may take, says `wasi:io`.
const WRITE_BYTES: usize = 4096;
const READ_BYTES: u64 = 64 * 1024;

pub(crate) fn send(request: &Request) -> Result<Response> {
    let outgoing = outgoing_request(request)?;
    let body = outgoing
        .body()
        .map_err(|()| Error::internal("a request has one body"))?;
    let options = options(request);
    let pending = outgoing_handler::handle(outgoing, options).map_err(|code| failure(&code))?;
    write_body(body, &request.body)?;
    pending.subscribe().block();
    let response = pending
        .get()
        .ok_or_else(|| Error::internal("a response that was ready is none"))?
        .map_err(|()| Error::internal("a response was taken twice"))?
        .map_err(|code| failure(&code))?;
    read_response(&response)
}

fn outgoing_request(request: &Request) -> Result<OutgoingRequest> {
    let (encrypted, authority, path) = request.target()?;
    let headers: Vec<(String, Vec<u8>)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone().into_bytes()))
        .collect();
    let headers = Headers::from_list(&headers)
        .map_err(|error| Error::Misconfigured(format!("a header cannot be sent: {error:?}")))?;
    let outgoing = OutgoingRequest::new(headers);
    let path = match path {
        "" => "/".to_owned(),
        path if path.starts_with('?') => format!("/{path}"),
        path => path.to_owned(),
    };
    let scheme = if encrypted {
        Scheme::Https
    } else {
        Scheme::Http
    };
    let refused = |()| Error::Misconfigured(format!("`{}` cannot be sent to", request.url));
    outgoing
        .set_method(&method(&request.method))
        .map_err(refused)?;
    outgoing.set_scheme(Some(&scheme)).map_err(refused)?;
    outgoing.set_authority(Some(authority)).map_err(refused)?;
    outgoing.set_path_with_query(Some(&path)).map_err(refused)?;
    Ok(outgoing)
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "PATCH" => Method::Patch,
        "OPTIONS" => Method::Options,
        other => Method::Other(other.to_owned()),
    }
}

/// A server need not support each of these limits; its own limit on the whole call always holds.
fn options(request: &Request) -> Option<RequestOptions> {
    let timeout = request.timeout?;
    let nanos = millis(timeout).saturating_mul(1_000_000);
    let options = RequestOptions::new();
    let _ = options.set_connect_timeout(Some(nanos));
    let _ = options.set_first_byte_timeout(Some(nanos));
    let _ = options.set_between_bytes_timeout(Some(nanos));
    Some(options)
}

fn write_body(body: OutgoingBody, bytes: &[u8]) -> Result<()> {
    if !bytes.is_empty() {
        let stream = body
            .write()
            .map_err(|()| Error::internal("a body has one stream"))?;
        for chunk in bytes.chunks(WRITE_BYTES) {
            // A server that answers early stops reading; its answer tells.
            if stream.blocking_write_and_flush(chunk).is_err() {
                break;
            }
        }
    }
    OutgoingBody::finish(body, None).map_err(|code| failure(&code))
}

fn read_response(response: &IncomingResponse) -> Result<Response> {
    let mut read = Response::new(response.status(), []);
    read.headers = response
        .headers()
        .entries()
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
        .collect();
    let body = response
        .consume()
        .map_err(|()| Error::internal("a response has one body"))?;
    read.body = read_body(&body)?;
    Ok(read)
}

fn read_body(body: &IncomingBody) -> Result<Vec<u8>> {
    let stream = body
        .stream()
        .map_err(|()| Error::internal("a body has one stream"))?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(READ_BYTES) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(_)) => {
                return Err(Error::unavailable("the response broke off"));
            }
        }
        if bytes.len() > MAX_RESPONSE_BYTES {
            let message = format!("the response is over {MAX_RESPONSE_BYTES} bytes");
            return Err(Error::unavailable(message));
        }
    }
}

fn failure(code: &ErrorCode) -> Error {
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => {
            Error::misconfigured("the host was not granted")
        }
        ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestMethodInvalid => {
            Error::misconfigured("the request cannot be sent")
        }
        ErrorCode::InternalError(Some(message)) => Error::unavailable(message),
        ErrorCode::ConnectionRefused => Error::unavailable("the connection was refused"),
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => Error::unavailable("no response came in time"),
        ErrorCode::DnsError(_) | ErrorCode::DnsTimeout => {
            Error::unavailable("the name of the host was not found")
        }
        _ => Error::unavailable("no response came"),
    }
}
