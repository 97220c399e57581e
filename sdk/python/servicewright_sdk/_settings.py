"""Reading settings as a dataclass of the plugin's own."""

import dataclasses
import types
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ._errors import Misconfigured
from ._time import iso_duration, rfc3339

T = TypeVar("T")

_JSON_KINDS = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}


class _Unfit(Exception):
    """A setting that does not fit, with where it stands."""

    def __init__(self, place: str, message: str) -> None:
        self.place = place
        self.message = message


def into(settings: dict[str, Any], kind: type[T]) -> T:
    """The settings as this dataclass, or `Misconfigured`."""
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        raise TypeError(f"settings are read as a dataclass, and {kind!r} is none")
    try:
        read: T = _dataclass("", settings, kind)
    except _Unfit as unfit:
        raise Misconfigured(f"the settings do not fit: {unfit.place} {unfit.message}") from None
    return read


def _dataclass(place: str, value: Any, kind: Any) -> Any:
    if not isinstance(value, dict):
        raise _wrong(place, "an object", value)
    hints = get_type_hints(kind)
    given = {}
    for field in dataclasses.fields(kind):
        if not field.init:
            continue
        inner = f"{place}.{field.name}" if place else field.name
        if field.name in value:
            given[field.name] = _as(inner, value[field.name], hints[field.name])
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise _Unfit(f"`{inner}`", "is missing")
    return kind(**given)


def _as(place: str, value: Any, kind: Any) -> Any:
    """The value as what a type annotation says."""
    origin = get_origin(kind)
    if kind is Any or kind is object:
        return value
    if origin in (Union, types.UnionType):
        return _union(place, value, get_args(kind))
    if origin is Literal:
        return _choice(place, value, get_args(kind), value)
    if kind is list or origin is list:
        return _list(place, value, get_args(kind))
    if kind is dict or origin is dict:
        return _dict(place, value, get_args(kind))
    if dataclasses.is_dataclass(kind):
        return _dataclass(place, value, kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        found = next((one for one in kind if one.value == value), None)
        return _choice(place, value, [one.value for one in kind], found)
    return _plain(place, value, kind)


def _plain(place: str, value: Any, kind: Any) -> Any:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if kind is str and isinstance(value, str):
        return value
    if kind is bool and isinstance(value, bool):
        return value
    if kind is int and (is_whole or (isinstance(value, float) and value.is_integer())):
        return int(value)
    if kind is float and (is_whole or isinstance(value, float)):
        return float(value)
    if kind in (datetime, timedelta) and isinstance(value, str):
        try:
            return rfc3339(value) if kind is datetime else iso_duration(value)
        except ValueError as error:
            raise _Unfit(f"`{place}`:", str(error)) from None
    wanted = {datetime: "an instant", timedelta: "a duration"}.get(kind) or _JSON_KINDS.get(kind)
    if wanted is None:
        raise TypeError(f"the setting `{place}` cannot be read as {kind!r}")
    raise _wrong(place, wanted, value)


def _list(place: str, value: Any, item: tuple[Any, ...]) -> Any:
    if not isinstance(value, list):
        raise _wrong(place, "a list", value)
    kind = item[0] if item else Any
    return [_as(f"{place}[{at}]", each, kind) for at, each in enumerate(value)]


def _dict(place: str, value: Any, items: tuple[Any, ...]) -> Any:
    if not isinstance(value, dict):
        raise _wrong(place, "an object", value)
    kind = items[1] if items else Any
    return {key: _as(f"{place}.{key}", each, kind) for key, each in value.items()}


def _union(place: str, value: Any, kinds: tuple[Any, ...]) -> Any:
    if value is None and type(None) in kinds:
        return None
    others = [kind for kind in kinds if kind is not type(None)]
    for kind in others[:-1]:
        try:
            return _as(place, value, kind)
        except _Unfit:
            continue
    return _as(place, value, others[-1])


def _choice(place: str, value: Any, choices: Any, found: Any) -> Any:
    if value in choices:
        return found
    listed = ", ".join(str(choice) for choice in choices)
    raise _Unfit(f"`{place}`", f"must be one of {listed}, and is {value}")


def _wrong(place: str, wanted: str, value: Any) -> _Unfit:
    of = f"`{place}`" if place else "they"
    return _Unfit(of, f"must be {wanted}, and is {_JSON_KINDS.get(type(value), 'something else')}")
