"""Named values, and reading them as the Python type that is wanted."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from math import isfinite
from typing import Any, Final, TypeAlias, TypeVar, overload

from . import _check
from ._errors import InvalidInput
from ._time import iso_duration, rfc3339

Value: TypeAlias = "None | bool | int | float | str | datetime | list[Any] | dict[str, Any]"
"""What a field holds. Text is also how the id of an option and a calendar date are held; a list
holds texts, or like a dict whatever JSON has."""

T = TypeVar("T")
D = TypeVar("D")

_REQUIRED: Final = object()
_LEAST, _MOST = -(2**63), 2**63 - 1

_WANTED = {
    str: "a text",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    datetime: "an instant",
    date: "a date",
    timedelta: "a duration",
    list: "a list",
    list[str]: "a list of texts",
    dict: "a JSON object",
}


class Fields(dict[str, Any]):
    """The fields of a record, the input of a form, or facts: a dict of plain values.

    An instant is a `datetime` in UTC, several texts are a list, and whatever has no type of its own
    is what its JSON stands for.
    """

    @overload
    def read(self, id: str, wanted: type[T]) -> T: ...

    @overload
    def read(self, id: str, wanted: type[T], default: D) -> T | D: ...

    def read(self, id: str, wanted: Any, default: Any = _REQUIRED) -> Any:
        """The value of this name, as the type wanted: `str`, `bool`, `int`, `float`, `datetime`,
        `date`, `timedelta`, `list[str]`, `list` or `dict`.

        Raises `InvalidInput` naming the field, where it is of another type, or is empty and no
        default was given.

        >>> fields = Fields(impact="high", cost=1200)
        >>> fields.read("impact", str)
        'high'
        >>> fields.read("hours", int, default=None)
        >>> fields.read("cost", str)
        Traceback (most recent call last):
        ...
        servicewright_sdk._errors.InvalidInput: field `cost` must be a text, and is an integer
        """
        words = _WANTED.get(wanted)
        if words is None:
            raise TypeError(f"field `{id}` cannot be read as {wanted!r}")
        value = self.get(id)
        if value is None and default is not _REQUIRED:
            return default
        read = _as(value, wanted)
        if read is None:
            raise InvalidInput(f"field `{id}` must be {words}, and is {_kind(value)}")
        return read


def _as(value: Any, wanted: Any) -> Any:
    """The value as that type, or nothing where it does not fit."""
    if isinstance(value, str):
        return _from_text(value, wanted)
    if wanted is float:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return float(value) if whole or isinstance(value, float) else None
    if wanted is int:
        return value if isinstance(value, int) and not isinstance(value, bool) else None
    if wanted == list[str]:
        return value if _is_texts(value) else None
    # An instant is a date to Python, but not which one: that depends on the zone.
    if wanted in (bool, datetime, list, dict):
        return value if isinstance(value, wanted) else None
    return None


def _from_text(text: str, wanted: Any) -> Any:
    """Instants, dates and durations are read from text too, which is how forms give them."""
    readers: dict[Any, Callable[[str], Any]] = {
        str: str,
        datetime: rfc3339,
        date: date.fromisoformat,
        timedelta: iso_duration,
    }
    try:
        reader = readers.get(wanted)
        return reader(text) if reader else None
    except ValueError:
        return None


def _is_texts(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)


def _kind(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "a boolean"
    if _is_texts(value):
        return "a list of texts"
    return _WANTED.get(type(value), _check.kind(value))


def check(fields: object, name: str = "fields") -> None:
    """Checks that each is a value the contract has."""
    if not isinstance(fields, dict):
        raise TypeError(f"`{name}` must be a dict, and is {_check.kind(fields)}")
    for id, value in fields.items():
        if not isinstance(id, str):
            raise TypeError(f"the names in `{name}` must be str, and {id!r} is {_check.kind(id)}")
        _check_value(id, value)


def _check_value(id: str, value: Any) -> None:
    if value is None or isinstance(value, (bool, str)):
        return
    if isinstance(value, int):
        if not _LEAST <= value <= _MOST:
            raise ValueError(f"field `{id}` is {value}, which takes more than 64 bits")
    elif isinstance(value, float):
        if not isfinite(value):
            raise ValueError(f"field `{id}` is {value}, which no record can hold")
    elif isinstance(value, datetime):
        _check.instant(id, value)
    elif isinstance(value, (list, tuple, dict)):
        if not _is_texts(value):
            to_json(id, value)
    else:
        raise TypeError(f"field `{id}` is {_check.kind(value)}, which no record can hold")


def to_json(id: str, value: Any) -> str:
    """The value as JSON text."""
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise TypeError(f"field `{id}` cannot be written as JSON: {error}") from error
