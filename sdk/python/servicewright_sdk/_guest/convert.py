"""Between what componentize-py makes of the contract and the SDK's own."""

import json
from datetime import datetime
from typing import Any

from componentize_py_types import Err

from .. import _check, _fields
from .._call import Call
from .._errors import InvalidInput, Internal, Misconfigured, PluginError, Unavailable
from .._fields import Fields
from .._record import Category, Record
from .._time import TimeLimit, from_millis, span_from_millis, span_to_millis, to_millis
from .wire import types

_CATEGORIES = {
    types.StateCategory.OPEN: Category.OPEN,
    types.StateCategory.WAITING: Category.WAITING,
    types.StateCategory.RESOLVED: Category.RESOLVED,
    types.StateCategory.CLOSED: Category.CLOSED,
}


def instant(millis: int) -> datetime:
    """An instant, where Python has it."""
    try:
        return from_millis(millis)
    except OverflowError:
        raise InvalidInput(f"the instant {millis} ms lies beyond the year 9999") from None


def _value(value: Any) -> Any:
    kind = type(value)
    if kind is types.Value_Null:
        return None
    if kind is types.Value_Instant:
        return instant(value.value)
    if kind is types.Value_Json:
        return json.loads(value.value)
    return value.value


def _value_out(id: str, value: Any) -> Any:
    if value is None:
        return types.Value_Null()
    if isinstance(value, bool):
        return types.Value_Boolean(value)
    if isinstance(value, int):
        return types.Value_Integer(value)
    if isinstance(value, float):
        return types.Value_Number(value)
    if isinstance(value, str):
        return types.Value_Text(value)
    if isinstance(value, datetime):
        return types.Value_Instant(to_millis(value))
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return types.Value_Texts(list(value))
    return types.Value_Json(_fields.to_json(id, value))


def fields(given: list[Any]) -> Fields:
    """Fields as they come."""
    return Fields((field.id, _value(field.value)) for field in given)


def fields_out(given: dict[str, Any]) -> list[Any]:
    """Fields as they go. Whoever took them in has checked them, but a dict may have changed
    since."""
    _fields.check(given)
    return [types.Field(id, _value_out(id, value)) for id, value in given.items()]


def call(given: Any) -> Call:
    """The circumstances of a call."""
    return Call(
        id=given.id,
        attempt=given.attempt,
        now=instant(given.now),
        seed=given.seed,
        actor=given.actor,
        settings=json.loads(given.settings),
        facts=fields(given.facts),
    )


def record(view: Any) -> Record:
    """A record."""
    return Record(
        id=view.id,
        workflow=view.workflow,
        state=view.state,
        category=_CATEGORIES[view.category],
        version=view.version,
        requester=view.requester,
        assignee=view.assignee,
        team=view.team,
        opened_at=instant(view.opened_at),
        updated_at=instant(view.updated_at),
        state_since=instant(view.state_since),
        fields=fields(view.fields),
        facts=fields(view.facts),
    )


def time_limit_out(limit: TimeLimit) -> Any:
    """A limit for the time something takes."""
    return types.TimeLimit(span_to_millis(limit.duration), limit.calendar)


def error(given: Any) -> PluginError:
    """Why a look-up failed."""
    if isinstance(given, types.PluginError_Unavailable):
        after = given.value.after
        return Unavailable(
            given.value.message, after=None if after is None else span_from_millis(after)
        )
    if isinstance(given, types.PluginError_InvalidInput):
        return InvalidInput(given.value)
    if isinstance(given, types.PluginError_Misconfigured):
        return Misconfigured(given.value)
    return Internal(given.value)


def error_out(raised: Exception) -> Err[Any]:
    """What the server is told of an exception."""
    if isinstance(raised, Unavailable):
        after = None if raised.after is None else span_to_millis(raised.after)
        return Err(types.PluginError_Unavailable(types.Retry(raised.message, after)))
    if isinstance(raised, InvalidInput):
        return Err(types.PluginError_InvalidInput(raised.message))
    if isinstance(raised, Misconfigured):
        return Err(types.PluginError_Misconfigured(raised.message))
    if isinstance(raised, PluginError):
        return Err(types.PluginError_Internal(raised.message))
    return Err(types.PluginError_Internal(_told(raised)))


def _told(raised: Exception) -> str:
    """An exception in one line, with the place in the plugin's code where it was raised."""
    said = f"{type(raised).__name__}: {raised}" if str(raised) else type(raised).__name__
    place = raised.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None:
        return said
    code = place.tb_frame.f_code
    file = code.co_filename.replace("\\", "/").rpartition("/")[2]
    return f"{said} ({file}, line {place.tb_lineno})"


def unfit(hook: str, answer: object, wanted: str) -> TypeError:
    """An answer that is none."""
    return TypeError(f"the hook {hook} must return {wanted}, and returned {_check.kind(answer)}")
