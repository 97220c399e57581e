"""The hook that decides who should work on a record. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from . import _check, _hooks
from ._call import Call
from ._record import Record

__all__ = ["Assignment", "Call", "Record", "hook"]


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The answer."""

    team: str
    """The team."""
    assignee: str | None = None
    """Somebody of that team; without one, the record waits for somebody to take it."""
    reason: str
    """A sentence that people read and the journal keeps."""

    def __post_init__(self) -> None:
        _check.text("team", self.team)
        _check.optional_text("assignee", self.assignee)
        _check.text("reason", self.reason)


F = TypeVar("F", bound=Callable[[Call, Record], Assignment])


def hook(function: F) -> F:
    """Makes `route(call, record)` the component's answer, asked when a record is created, or a
    transition asks for it to be routed.

    Teams and people come from `directory`. Where it raises, or names a team that does not exist,
    the fallback in the workflow applies.
    """
    return _hooks.put("routing", function)
