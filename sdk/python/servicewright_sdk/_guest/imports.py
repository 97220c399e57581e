"""What a component asks the server for.

A component's world has only what its `plugin.yaml` asks for; what is not in it is missing here, and
using it says so.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from componentize_py_types import Err

from .. import _host
from .._errors import Misconfigured
from .._fields import Fields
from .._record import Record
from .._time import span_from_millis, span_to_millis, to_millis
from ..directory import Member, Person
from . import convert

try:
    from wit_world.imports import business_time
except ImportError:
    business_time = None
try:
    from wit_world.imports import directory
except ImportError:
    directory = None
try:
    from wit_world.imports import key_value
except ImportError:
    key_value = None
try:
    from wit_world.imports import log
except ImportError:
    log = None
try:
    from wit_world.imports import signing
except ImportError:
    signing = None
try:
    from .outgoing import send
except ImportError:
    send = None

T = TypeVar("T")


def install() -> None:
    """Makes the server what answers look-ups from now on."""
    _host.replace(_Server())


def _asked(look_up: Callable[..., T], *arguments: Any) -> T:
    """What a look-up answers; its failure is raised as the SDK's own."""
    try:
        return look_up(*arguments)
    except Err as failed:
        raise convert.error(failed.value) from None


def _there(module: Any, capability: str) -> Any:
    """A module of the world, where it is there."""
    if module is None:
        raise Misconfigured(
            f"the component was built without `{capability}`: "
            "ask for it under `capabilities` of its plugin.yaml"
        )
    return module


class _Server:
    def log(self, level: str, message: str) -> None:
        wire = _there(log, "log")
        wire.write(wire.Level[level.upper()], message)

    def business_add(self, calendar: str, start: datetime, duration: timedelta) -> datetime:
        wire = _there(business_time, "business-time")
        millis = span_to_millis(duration)
        return convert.instant(_asked(wire.add, calendar, to_millis(start), millis))

    def business_between(self, calendar: str, start: datetime, end: datetime) -> timedelta:
        wire = _there(business_time, "business-time")
        return span_from_millis(_asked(wire.between, calendar, to_millis(start), to_millis(end)))

    def user(self, id: str) -> Person | None:
        found = _asked(_there(directory, "directory").user, id)
        if found is None:
            return None
        facts = convert.fields(found.facts)
        return Person(found.id, found.name, found.manager, found.organisation, facts)

    def teams(self) -> list[str]:
        return _asked(_there(directory, "directory").teams)

    def members(self, team: str) -> list[Member]:
        return [_member(given) for given in _asked(_there(directory, "directory").members, team)]

    def find(self, kind: str, id: str) -> Fields | None:
        found = _asked(_there(directory, "directory").find, kind, id)
        return None if found is None else convert.fields(found)

    def linked(self, id: str, kind: str) -> list[Record]:
        found = _asked(_there(directory, "directory").linked, id, kind)
        return [convert.record(view) for view in found]

    def alike(self, workflow: str, fields: Fields, since: datetime) -> list[Record]:
        wire = _there(directory, "directory")
        given = convert.fields_out(fields)
        found = _asked(wire.alike, workflow, given, to_millis(since))
        return [convert.record(view) for view in found]

    def referenced(self, reference: str) -> Record | None:
        found = _asked(_there(directory, "directory").referenced, reference)
        return None if found is None else convert.record(found)

    def key_value_get(self, key: str) -> bytes | None:
        found = _asked(_there(key_value, "key-value").get, key)
        return None if found is None else bytes(found)

    def key_value_compare_and_set(
        self, key: str, expected: bytes | None, value: bytes | None
    ) -> bool:
        return _asked(_there(key_value, "key-value").compare_and_set, key, expected, value)

    def key_value_keys(self, prefix: str, after: str | None) -> list[str]:
        return _asked(_there(key_value, "key-value").keys, prefix, after)

    def hmac_sha256(self, secret: str, message: bytes) -> bytes:
        return bytes(_asked(_there(signing, "signing").hmac_sha256, secret, message))

    def verify_hmac_sha256(self, secret: str, message: bytes, signature: bytes) -> bool:
        return _asked(_there(signing, "signing").verify_hmac_sha256, secret, message, signature)

    def is_secret(self, secret: str, candidate: bytes) -> bool:
        return _asked(_there(signing, "signing").is_secret, secret, candidate)

    def send(self, request: Any) -> Any:
        return _there(send, "http")(request)


def _member(given: Any) -> Member:
    last = given.last_assigned_at
    return Member(
        user=given.user,
        skills=given.skills,
        on_shift=given.on_shift,
        open_records=given.open_records,
        last_assigned_at=None if last is None else convert.instant(last),
        facts=convert.fields(given.facts),
    )
