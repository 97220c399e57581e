"""Checks of what an author hands over, so that a mistake shows where it is made and names its
field."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

_KINDS = {
    type(None): "None",
    bool: "a bool",
    int: "an int",
    float: "a float",
    str: "a str",
    bytes: "bytes",
    datetime: "a datetime",
    timedelta: "a timedelta",
    list: "a list",
    tuple: "a tuple",
    dict: "a dict",
}


def kind(value: object) -> str:
    """What a value is, in words, for messages."""
    return _KINDS.get(type(value)) or f"a {type(value).__name__}"


def text(name: str, value: object) -> None:
    """Checks that it is a text."""
    if not isinstance(value, str):
        raise TypeError(f"`{name}` must be a str, and is {kind(value)}")


def optional_text(name: str, value: object) -> None:
    """Checks that it is a text or nothing."""
    if value is not None:
        text(name, value)


def flag(name: str, value: object) -> None:
    """Checks that it is true or false."""
    if not isinstance(value, bool):
        raise TypeError(f"`{name}` must be a bool, and is {kind(value)}")


def count(name: str, value: object, least: int, most: int) -> None:
    """Checks that it is a whole number between two others."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"`{name}` must be an int, and is {kind(value)}")
    if not least <= value <= most:
        raise ValueError(f"`{name}` must be {least} to {most}, and is {value}")


def span(name: str, value: object) -> None:
    """Checks that it is a span of time that does not run backwards."""
    if not isinstance(value, timedelta):
        raise TypeError(f"`{name}` must be a timedelta, and is {kind(value)}")
    if value < timedelta(0):
        raise ValueError(f"`{name}` must not be negative, and is {value}")


def instant(name: str, value: object) -> None:
    """Checks that it is an instant: a date and time that says its offset from UTC."""
    if not isinstance(value, datetime):
        raise TypeError(f"`{name}` must be a datetime, and is {kind(value)}")
    if value.utcoffset() is None:
        raise ValueError(f"`{name}` must say its timezone, such as timezone.utc, and is {value}")


def data(name: str, value: object) -> None:
    """Checks that it is bytes."""
    if not isinstance(value, bytes):
        raise TypeError(f"`{name}` must be bytes, and is {kind(value)}")


def one_of(name: str, value: object, kinds: tuple[type, ...]) -> None:
    """Checks that it is of one of these classes."""
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise TypeError(f"`{name}` must be {wanted}, and is {kind(value)}")


def items(name: str, value: Iterable[Any], kinds: tuple[type, ...]) -> None:
    """Checks each item of a list."""
    if isinstance(value, (str, bytes)) or not isinstance(value, (list, tuple)):
        raise TypeError(f"`{name}` must be a list, and is {kind(value)}")
    for place, item in enumerate(value):
        one_of(f"{name}[{place}]", item, kinds)
