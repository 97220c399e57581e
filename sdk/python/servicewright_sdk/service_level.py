"""The hook that says what was promised, and by when. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar

from . import _check, _hooks
from ._call import Call
from ._fields import Fields
from ._record import Record

__all__ = ["Agreement", "Call", "DueAt", "Goal", "Record", "Target", "Within", "hook"]

_MOST = 2**32 - 1


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The service level that asks."""

    id: str
    """The id of the service level."""
    targets: list[str]
    """The targets that want a goal, such as `resolution`. No others may be answered for."""
    calendar: str
    """The calendar that the service level counts in, unless a goal names another."""
    facts: Fields = field(default_factory=Fields)
    """What later servers say beyond the rest."""


@dataclass(frozen=True)
class Within:
    """Within so much time; the clock stands still while the record waits."""

    duration: timedelta
    """The span itself; what is finer than milliseconds is cut off."""
    calendar: str | None = None
    """The calendar of the pack that counts it; without one it is counted as time passes."""

    def __post_init__(self) -> None:
        _check.span("duration", self.duration)
        _check.optional_text("calendar", self.calendar)


@dataclass(frozen=True)
class DueAt:
    """At one instant, that no waiting moves."""

    at: datetime

    def __post_init__(self) -> None:
        _check.instant("at", self.at)


Goal: TypeAlias = Within | DueAt
"""By when."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What was promised for one target."""

    id: str
    """Which target."""
    goal: Goal
    """By when."""
    warn_at_percent: Sequence[int] = ()
    """How much of the goal may be used up before somebody is warned, in percent, rising."""
    reason: str
    """A sentence that people read and the journal keeps."""

    def __post_init__(self) -> None:
        _check.text("id", self.id)
        _check.one_of("goal", self.goal, (Within, DueAt))
        _check.items("warn_at_percent", self.warn_at_percent, (int,))
        for place, percent in enumerate(self.warn_at_percent):
            _check.count(f"warn_at_percent[{place}]", percent, 0, _MOST)
        _check.text("reason", self.reason)


F = TypeVar("F", bound=Callable[[Call, Record, Agreement], Sequence[Target]])


def hook(function: F) -> F:
    """Makes `targets(call, record, agreement)` the component's answer, asked when a clock is set,
    or has to be set again: goals for the targets that the agreement names.

    Where it raises, the goal in the service level applies.
    """
    return _hooks.put("service-level", function)
