"""Sends a request by `wasi:http/outgoing-handler`, in plain calls."""

from contextlib import ExitStack
from typing import Any

from componentize_py_types import Err, Ok
from wit_world.imports import outgoing_handler, streams
from wit_world.imports import wasi_http_types as wire

from .._errors import Internal, Misconfigured, PluginError, Unavailable
from .._time import span_to_millis
from ..http import MAX_RESPONSE_BYTES, Request, Response

_WRITE_BYTES = 4096
"""The most that one write may take, says `wasi:io`."""
_READ_BYTES = 64 << 10

_METHODS = {
    "GET": wire.Method_Get,
    "HEAD": wire.Method_Head,
    "POST": wire.Method_Post,
    "PUT": wire.Method_Put,
    "DELETE": wire.Method_Delete,
    "PATCH": wire.Method_Patch,
    "OPTIONS": wire.Method_Options,
}

_MISCONFIGURED = {
    "HttpRequestDenied": "the host was not granted",
    "DestinationIpProhibited": "the host was not granted",
    "HttpRequestUriInvalid": "the request cannot be sent",
    "HttpRequestMethodInvalid": "the request cannot be sent",
}
_UNAVAILABLE = {
    "ConnectionRefused": "the connection was refused",
    "ConnectionTimeout": "no response came in time",
    "ConnectionReadTimeout": "no response came in time",
    "ConnectionWriteTimeout": "no response came in time",
    "HttpResponseTimeout": "no response came in time",
    "DnsError": "the name of the host was not found",
    "DnsTimeout": "the name of the host was not found",
}


def send(request: Request) -> Response:
    """Sends it, and waits for the whole response. Everything is given back in the reverse order of
    how it was taken, which is what WASI asks for."""
    with ExitStack() as held:
        outgoing = _outgoing(request)
        # Finishing the body hands it over, so that it is not given back here.
        body = outgoing.body()
        try:
            pending = outgoing_handler.handle(outgoing, _options(request))
        except Err as failed:
            raise _failure(failed.value) from None
        held.enter_context(pending)
        _write(body, request.body)
        with pending.subscribe() as ready:
            ready.block()
        return _read(_response(pending), held)


def _outgoing(request: Request) -> Any:
    encrypted, authority, path = request.target()
    headers = [(name.lower(), value.encode()) for name, value in request.headers]
    try:
        outgoing = wire.OutgoingRequest(wire.Fields.from_list(headers))
    except Err as failed:
        said = type(failed.value).__name__.rpartition("_")[2]
        raise Misconfigured(f"a header cannot be sent: {said}") from None
    if not path.startswith("/"):
        path = f"/{path}"
    method = _METHODS.get(request.method)
    try:
        outgoing.set_method(wire.Method_Other(request.method) if method is None else method())
        outgoing.set_scheme(wire.Scheme_Https() if encrypted else wire.Scheme_Http())
        outgoing.set_authority(authority)
        outgoing.set_path_with_query(path)
    except Err:
        raise Misconfigured(f"`{request.url}` cannot be sent to") from None
    return outgoing


def _options(request: Request) -> Any:
    """A server need not support each of these limits; its own limit on the whole call always
    holds."""
    if request.timeout is None:
        return None
    nanoseconds = min(span_to_millis(request.timeout) * 1_000_000, 2**64 - 1)
    options = wire.RequestOptions()
    for limit in (
        options.set_connect_timeout,
        options.set_first_byte_timeout,
        options.set_between_bytes_timeout,
    ):
        try:
            limit(nanoseconds)
        except Err:
            continue
    return options


def _write(body: Any, content: bytes) -> None:
    if content:
        with body.write() as stream:
            try:
                for start in range(0, len(content), _WRITE_BYTES):
                    stream.blocking_write_and_flush(content[start : start + _WRITE_BYTES])
            except Err:
                # A server that answers early stops reading; its answer tells.
                pass
    try:
        wire.OutgoingBody.finish(body, None)
    except Err as failed:
        raise _failure(failed.value) from None


def _response(pending: Any) -> Any:
    got = pending.get()
    if not isinstance(got, Ok):
        raise Internal("a response that was ready is none")
    if isinstance(got.value, Err):
        raise _failure(got.value.value)
    return got.value.value


def _read(response: Any, held: ExitStack) -> Response:
    held.enter_context(response)
    with response.headers() as headers:
        read = [(name, value.decode(errors="replace")) for name, value in headers.entries()]
    body = held.enter_context(response.consume())
    stream = held.enter_context(body.stream())
    content = bytearray()
    while True:
        try:
            content += stream.blocking_read(_READ_BYTES)
        except Err as ended:
            if isinstance(ended.value, streams.StreamError_Closed):
                return Response(response.status(), bytes(content), read)
            raise Unavailable("the response broke off") from None
        if len(content) > MAX_RESPONSE_BYTES:
            raise Unavailable(f"the response is over {MAX_RESPONSE_BYTES} bytes")


def _failure(code: Any) -> PluginError:
    kind = type(code).__name__.rpartition("_")[2]
    if kind in _MISCONFIGURED:
        return Misconfigured(_MISCONFIGURED[kind])
    if kind == "InternalError" and code.value:
        return Unavailable(code.value)
    return Unavailable(_UNAVAILABLE.get(kind, "no response came"))
