"""Instants and spans as the contract has them, in whole milliseconds, and as settings write
them."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from . import _check

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MILLISECOND = timedelta(milliseconds=1)

_NUMBER = r"(\d+(?:\.\d+)?)"
_SPAN = re.compile(
    rf"P(?=.)(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(?:T(?=.)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?",
    re.ASCII,
)
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)


@dataclass(frozen=True)
class TimeLimit:
    """How long something may take."""

    duration: timedelta
    """The span itself; what is finer than milliseconds is cut off."""
    calendar: str | None = None
    """The calendar of the pack that counts it; without one it is counted as time passes."""

    def __post_init__(self) -> None:
        _check.span("duration", self.duration)
        _check.optional_text("calendar", self.calendar)


def rfc3339(text: str) -> datetime:
    """The instant that a text in RFC 3339 names, such as `2026-11-20T09:30:00+01:00`.

    Raises `ValueError` where it names none; one without an offset does not.
    """
    if not _INSTANT.fullmatch(text):
        raise ValueError(f"`{text}` is not an instant such as 2026-11-20T09:30:00Z")
    return datetime.fromisoformat(text.upper()).astimezone(timezone.utc)


def iso_duration(text: str) -> timedelta:
    """The span that a text in ISO 8601 names, such as `PT4H` or `P1DT12H`.

    A day is 24 hours and a week seven days; months and years have no fixed length. Raises
    `ValueError` where it names none.
    """
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError(f"`{text}` is not a duration such as PT4H or P2D")
    weeks, days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    try:
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        raise ValueError(f"`{text}` is a longer duration than can be reckoned with") from None


def to_millis(at: datetime) -> int:
    """Milliseconds since 1970-01-01T00:00:00Z, negative before it."""
    return (at - EPOCH) // MILLISECOND


def from_millis(millis: int) -> datetime:
    """The instant so many milliseconds after 1970-01-01T00:00:00Z, in UTC."""
    return EPOCH + timedelta(milliseconds=millis)


def span_to_millis(span: timedelta) -> int:
    """Whole milliseconds."""
    return span // MILLISECOND


def span_from_millis(millis: int) -> timedelta:
    """A span of so many milliseconds; one too long for Python becomes the longest it has."""
    try:
        return timedelta(milliseconds=millis)
    except OverflowError:
        return timedelta.max
