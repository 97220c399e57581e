"""The hook that hears from the outside world."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from . import _check, _hooks, commands
from ._call import Call
from ._errors import InvalidInput
from ._fields import Fields
from .commands import Command

__all__ = ["Call", "Command", "Reply", "Request", "Response", "hook"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was sent."""

    method: str = "POST"
    """The method, in capitals."""
    path: str = ""
    """What follows the binding's own address, with the query."""
    headers: list[tuple[str, str]] = field(default_factory=list)
    """Names, in lower case, and values."""
    body: bytes = b""
    """The body as it came."""

    def header(self, name: str) -> str | None:
        """The first header of this name, whichever case it is written in here."""
        name = name.lower()
        return next((value for key, value in self.headers if key.lower() == name), None)

    def json(self) -> Any:
        """What the body says as JSON, or `InvalidInput`."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"the body is not JSON: {error}") from None

    def fields(self) -> Fields:
        """What the body says as a JSON object, to `read` its entries from; or `InvalidInput`."""
        said = self.json()
        if not isinstance(said, dict):
            raise InvalidInput(f"the body must be a JSON object, and is {_check.kind(said)}")
        return Fields(said)


@dataclass(frozen=True)
class Response:
    """What the sender is told."""

    status: int = 200
    """The HTTP status."""
    body: bytes = b""
    """The body."""
    headers: Sequence[tuple[str, str]] = ()
    """Names, in lower case, and values."""

    def __post_init__(self) -> None:
        _check.count("status", self.status, 100, 599)
        _check.data("body", self.body)
        _check.items("headers", self.headers, (tuple,))
        for place, header in enumerate(self.headers):
            if len(header) != 2:
                raise ValueError(f"`headers[{place}]` must be a name and a value")
            _check.text(f"headers[{place}]", header[0])
            _check.text(f"headers[{place}]", header[1])

    @classmethod
    def text(cls, status: int, text: str) -> "Response":
        """A status with an explanation for whoever looks into it."""
        return cls(status, text.encode(), [("content-type", "text/plain; charset=utf-8")])

    @classmethod
    def json(cls, status: int, content: Any) -> "Response":
        """A status with JSON."""
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
        return cls(status, text.encode(), [("content-type", "application/json")])


@dataclass(frozen=True)
class Reply:
    """The answer."""

    response: Response
    """Sent when the commands are durable. If one was refused, the sender gets
    the refusal instead, as a problem document."""
    commands: Sequence[Command] = ()
    """What is to be done."""
    delivery: str | None = field(default=None, kw_only=True)
    """How the sender names this delivery. One already seen changes nothing and is answered
    alike."""

    def __post_init__(self) -> None:
        _check.one_of("response", self.response, (Response,))
        _check.items("commands", self.commands, commands.KINDS)
        _check.optional_text("delivery", self.delivery)


F = TypeVar("F", bound=Callable[[Call, Request], Reply])


def hook(function: F) -> F:
    """Makes `receive(call, request)` the component's answer for every request to the address of the
    binding.

    Whoever knows the address can send one: the plugin finds out whether the sender is genuine, for
    which `signing` helps. Where it raises, the sender gets a 4xx or 5xx and may try again.
    """
    return _hooks.put("webhook", function)
