"""A desk for the tests of a plugin, run natively: what look-ups answer, and what was logged and
sent.

>>> from servicewright_sdk import directory, log
>>> with Desk(people=[directory.Person("ann", manager="bea")]) as desk:
...     ann = directory.user("ann")
...     log.info("looked up")
>>> ann.manager
'bea'
>>> desk.logged
['looked up']

It stands in for the server and is simpler: everything is granted, and calendars are given as the
spans in which they are open.
"""

import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from types import TracebackType
from typing import Any

from . import _host
from ._call import Call
from ._errors import InvalidInput, Misconfigured
from ._fields import Fields
from ._record import Category, Record
from ._time import rfc3339
from .directory import Member, Person
from .http import Request, Response

__all__ = ["NOW", "Desk", "call", "record", "schema_defaults"]

NOW = datetime(2026, 1, 5, 9, tzinfo=timezone.utc)
"""When everything in a test happens, unless it says otherwise: a Monday."""

_LIST_LIMIT = 100
"""As many as a server lists in one answer."""


def call(settings: Mapping[str, Any] | None = None, **changes: Any) -> Call:
    """A call with these settings, at `NOW`, first attempt, by the actor `ann`; anything else by its
    name."""
    plain = json.loads(json.dumps(dict(settings or {})))
    made = Call(id="call-1", attempt=1, now=NOW, seed=1, actor="ann", settings=plain)
    return replace(made, **changes)


def record(workflow: str, fields: Mapping[str, Any] | None = None, **changes: Any) -> Record:
    """A record of a workflow that holds these fields, being created `NOW`, in the state `new`;
    anything else by its name."""
    made = Record(
        workflow=workflow,
        state="new",
        category=Category.OPEN,
        version=0,
        opened_at=NOW,
        updated_at=NOW,
        state_since=NOW,
        fields=Fields(fields or {}),
    )
    return replace(made, **changes)


def schema_defaults(schema: str | Mapping[str, Any]) -> Any:
    """The settings that a plugin's JSON Schema says hold where nothing is set: every `default` in
    it, but for objects in which something is required. A test that reads them as the plugin's own
    dataclass holds the schema and the dataclass to each other."""
    return _defaults(json.loads(schema) if isinstance(schema, str) else schema)


def _defaults(schema: Any) -> Any:
    if "default" in schema:
        return schema["default"]
    if "properties" not in schema or "required" in schema:
        return None
    said = {name: _defaults(inner) for name, inner in schema["properties"].items()}
    return {name: default for name, default in said.items() if default is not None}


class Desk:
    """What look-ups answer, within a `with`.

    `people` and `records` are listed; `teams` are members by the id of their team, `things` are
    fields by kind and id, `links` are numbers by the number of a record and the kind of the link,
    `references` are numbers by the binding's own names for records, `calendars` are the spans, each
    two instants in RFC 3339, in which one is open, `secrets` are keys for `signing` by their name.
    `respond` answers every request of the plugin; without it they are refused.
    """

    def __init__(
        self,
        *,
        people: Iterable[Person] = (),
        teams: Mapping[str, Iterable[Member]] | None = None,
        things: Mapping[tuple[str, str], Mapping[str, Any]] | None = None,
        records: Iterable[Record] = (),
        links: Mapping[tuple[str, str], Iterable[str]] | None = None,
        references: Mapping[str, str] | None = None,
        calendars: Mapping[str, Iterable[tuple[str, str]]] | None = None,
        secrets: Mapping[str, bytes] | None = None,
        respond: Callable[[Request], Response] | None = None,
    ) -> None:
        self._people = {person.id: person for person in people}
        self._teams = {team: list(members) for team, members in (teams or {}).items()}
        self._things = {key: Fields(fields) for key, fields in (things or {}).items()}
        self._records = list(records)
        self._links = {key: list(numbers) for key, numbers in (links or {}).items()}
        self._references = dict(references or {})
        self._calendars = {
            id: sorted((rfc3339(start), rfc3339(end)) for start, end in spans)
            for id, spans in (calendars or {}).items()
        }
        self._secrets = dict(secrets or {})
        self._respond = respond
        self._before: list[_host.Host | None] = []
        self.key_values: dict[str, bytes] = {}
        """What the plugin keeps."""
        self.logged: list[str] = []
        """The lines that the plugin logged."""
        self.sent: list[Request] = []
        """The requests that the plugin sent."""

    def __enter__(self) -> "Desk":
        self._before.append(_host.replace(self))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _host.replace(self._before.pop())

    def log(self, level: str, message: str) -> None:
        self.logged.append(message)

    def business_add(self, calendar: str, start: datetime, duration: timedelta) -> datetime:
        left = duration
        for opens, closes in self._open(calendar):
            opens = max(opens, start)
            if closes > opens and closes - opens >= left:
                return opens + left
            left -= max(closes - opens, timedelta(0))
        raise InvalidInput(f"the calendar `{calendar}` has no business time left")

    def business_between(self, calendar: str, start: datetime, end: datetime) -> timedelta:
        nothing = timedelta(0)
        spans = (min(closes, end) - max(opens, start) for opens, closes in self._open(calendar))
        return sum((max(span, nothing) for span in spans), nothing)

    def _open(self, calendar: str) -> list[tuple[datetime, datetime]]:
        if calendar not in self._calendars:
            raise Misconfigured(f"there is no calendar `{calendar}`")
        return self._calendars[calendar]

    def user(self, id: str) -> Person | None:
        return self._people.get(id)

    def teams(self) -> list[str]:
        return sorted(self._teams)

    def members(self, team: str) -> list[Member]:
        return list(self._teams.get(team, ()))

    def find(self, kind: str, id: str) -> Fields | None:
        return self._things.get((kind, id))

    def linked(self, id: str, kind: str) -> list[Record]:
        targets = self._links.get((id, kind), [])
        return [record for record in self._records if record.id in targets]

    def alike(self, workflow: str, fields: Fields, since: datetime) -> list[Record]:
        found = [
            record
            for record in self._records
            if record.workflow == workflow
            and record.updated_at >= since
            and all(record.fields.get(id) == value for id, value in fields.items())
        ]
        found.sort(key=lambda record: record.updated_at, reverse=True)
        return found[:_LIST_LIMIT]

    def referenced(self, reference: str) -> Record | None:
        number = self._references.get(reference)
        return next((record for record in self._records if record.id == number), None)

    def key_value_get(self, key: str) -> bytes | None:
        return self.key_values.get(key)

    def key_value_compare_and_set(
        self, key: str, expected: bytes | None, value: bytes | None
    ) -> bool:
        if self.key_values.get(key) != expected:
            return False
        if value is None:
            self.key_values.pop(key, None)
        else:
            self.key_values[key] = value
        return True

    def key_value_keys(self, prefix: str, after: str | None) -> list[str]:
        keys = [
            key
            for key in sorted(self.key_values)
            if key.startswith(prefix) and (after is None or key > after)
        ]
        return keys[:_LIST_LIMIT]

    def hmac_sha256(self, secret: str, message: bytes) -> bytes:
        if secret not in self._secrets:
            raise Misconfigured(f"the secret `{secret}` was not granted")
        return hmac.digest(self._secrets[secret], message, "sha256")

    def verify_hmac_sha256(self, secret: str, message: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(self.hmac_sha256(secret, message), signature)

    def is_secret(self, secret: str, candidate: bytes) -> bool:
        if secret not in self._secrets:
            raise Misconfigured(f"the secret `{secret}` was not granted")
        key = self._secrets[secret]
        return bool(key) and hmac.compare_digest(key, candidate)

    def send(self, request: Request) -> Response:
        self.sent.append(request)
        if self._respond is None:
            raise Misconfigured("no host was granted")
        return self._respond(request)
