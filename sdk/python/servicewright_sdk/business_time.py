"""Reckoning in the calendars of the pack."""

from datetime import datetime, timedelta

from . import _check, _host


def add(calendar: str, start: datetime, duration: timedelta) -> datetime:
    """When `duration` of business time after `start` is over.

    Raises `Misconfigured` where the pack has no such calendar.
    """
    _check.instant("start", start)
    _check.span("duration", duration)
    return _host.present().business_add(calendar, start, duration)


def between(calendar: str, start: datetime, end: datetime) -> timedelta:
    """How much business time lies between two instants; none, unless `end` is the later.

    Raises `Misconfigured` where the pack has no such calendar.
    """
    _check.instant("start", start)
    _check.instant("end", end)
    return _host.present().business_between(calendar, start, end)
