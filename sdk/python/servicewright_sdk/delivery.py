"""The hook that tells the outside world what happened."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from . import _hooks
from ._call import Call
from ._record import Record
from .commands import Command

__all__ = ["Call", "Command", "Event", "Record", "hook"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a record."""

    id: str
    """Its id, one of a kind."""
    kind: str
    """What happened, as a CloudEvents type."""
    record: Record
    """The record once it had happened."""
    references: list[str] = field(default_factory=list)
    """The names this binding knows the record by."""
    data: dict[str, Any] = field(default_factory=dict)
    """The change as a CloudEvents event: what its JSON stands for."""


F = TypeVar("F", bound=Callable[[Call, Event], Sequence[Command]])


def hook(function: F) -> F:
    """Makes `deliver(call, event)` the component's answer for every event that the binding
    subscribes to: at least once, and in order within a record. It returns what is to be done about
    the answer from outside, often nothing: `[]`.

    After `Unavailable` or an error of the plugin itself the server tries again with the same
    `call.id`, later and later, and at last puts the event where an operator sees it. After the
    other two kinds of error it does so at once.
    """
    return _hooks.put("delivery", function)
