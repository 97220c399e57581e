"""Requests to the hosts that the binding grants. For integrations.

Redirects are not followed: one comes back as the 3xx that it is. A secret gets into a header by
`{{secret:name}}`, which the server replaces on the way out.
"""

import json as _json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from . import _check, _host
from ._errors import Misconfigured, Unavailable

MAX_RESPONSE_BYTES = 4 << 20
"""How much of a response is read."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is sent."""

    method: str
    """The method, in capitals."""
    url: str
    """The whole address, beginning with `https://` or `http://`."""
    headers: list[tuple[str, str]] = field(default_factory=list)
    """Names and values."""
    body: bytes = b""
    """The body."""
    timeout: timedelta | None = None
    """How long to wait for the connection, for the first byte and between bytes."""

    def target(self) -> tuple[bool, str, str]:
        """Whether it is encrypted, the host with its port, and the path with the query."""
        scheme, found, rest = self.url.partition("://")
        rest = rest.partition("#")[0]
        end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
        authority, path = rest[:end], rest[end:]
        if not found or scheme not in ("http", "https") or not authority or "@" in authority:
            raise Misconfigured(f"`{self.url}` is not an HTTP address")
        return scheme == "https", authority, path

    def header(self, name: str) -> str | None:
        """The first header of this name, in whichever case: for tests."""
        return _header(self.headers, name)

    def json(self) -> Any:
        """What the body says as JSON: for tests."""
        return _json.loads(self.body)


@dataclass(frozen=True)
class Response:
    """What came back."""

    status: int
    """The HTTP status."""
    body: bytes = b""
    """The whole body."""
    headers: list[tuple[str, str]] = field(default_factory=list)
    """Names and values."""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """The first header of this name, in whichever case."""
        return _header(self.headers, name)

    def json(self) -> Any:
        """What the body says as JSON, or `Unavailable`: who answers something else is not well."""
        try:
            return _json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Unavailable(f"the response is not JSON: {error}") from None

    @property
    def retry_after(self) -> timedelta | None:
        """How long the other side asks to be left alone, where it says so in seconds."""
        said = (self.header("retry-after") or "").strip()
        # More digits than this are no time to wait, but would be more than a timedelta holds.
        if not (said.isascii() and said.isdecimal() and len(said) <= 9):
            return None
        return timedelta(seconds=int(said))


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    body: bytes | str = b"",
    json: Any = None,
    timeout: timedelta | None = None,
) -> Response:
    """Sends a request and waits for the whole response, whatever its status. With `json`, that is
    the body.

    Raises `Misconfigured` where the address is none or its host was not granted, and `Unavailable`
    where no response came, or one over `MAX_RESPONSE_BYTES`.
    """
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    for name, value in pairs:
        _check.text("the name of a header", name)
        _check.text(f"the header {name}", value)
    if json is not None:
        body = _json.dumps(json, ensure_ascii=False, allow_nan=False)
        if _header(pairs, "content-type") is None:
            pairs.append(("content-type", "application/json"))
    content = body.encode() if isinstance(body, str) else body
    _check.data("body", content)
    if timeout is not None:
        _check.span("timeout", timeout)
    sent = Request(method=method, url=url, headers=pairs, body=content, timeout=timeout)
    sent.target()
    return _host.present().send(sent)


def get(
    url: str,
    *,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    timeout: timedelta | None = None,
) -> Response:
    """Sends a `GET`: see `request`."""
    return request("GET", url, headers=headers, timeout=timeout)


def post(
    url: str,
    *,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    body: bytes | str = b"",
    json: Any = None,
    timeout: timedelta | None = None,
) -> Response:
    """Sends a `POST`: see `request`."""
    return request("POST", url, headers=headers, body=body, json=json, timeout=timeout)


def _header(headers: Iterable[tuple[str, str]], name: str) -> str | None:
    name = name.lower()
    return next((value for key, value in headers if key.lower() == name), None)
