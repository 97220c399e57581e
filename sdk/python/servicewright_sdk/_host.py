"""Where look-ups and the like are answered: by the server in a component, by a desk natively."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ._fields import Fields
    from ._record import Record
    from .directory import Member, Person
    from .http import Request, Response


class Host(Protocol):
    """The server's side of a plugin's imports."""

    def log(self, level: str, message: str) -> None: ...

    def business_add(self, calendar: str, start: datetime, duration: timedelta) -> datetime: ...

    def business_between(self, calendar: str, start: datetime, end: datetime) -> timedelta: ...

    def user(self, id: str) -> "Person | None": ...

    def teams(self) -> list[str]: ...

    def members(self, team: str) -> "list[Member]": ...

    def find(self, kind: str, id: str) -> "Fields | None": ...

    def linked(self, id: str, kind: str) -> "list[Record]": ...

    def alike(self, workflow: str, fields: "Fields", since: datetime) -> "list[Record]": ...

    def referenced(self, reference: str) -> "Record | None": ...

    def key_value_get(self, key: str) -> bytes | None: ...

    def key_value_compare_and_set(
        self, key: str, expected: bytes | None, value: bytes | None
    ) -> bool: ...

    def key_value_keys(self, prefix: str, after: str | None) -> list[str]: ...

    def hmac_sha256(self, secret: str, message: bytes) -> bytes: ...

    def verify_hmac_sha256(self, secret: str, message: bytes, signature: bytes) -> bool: ...

    def is_secret(self, secret: str, candidate: bytes) -> bool: ...

    def send(self, request: "Request") -> "Response": ...


_present: Host | None = None


def present() -> Host:
    """What answers just now. Natively, where no desk was put up, it is an empty one."""
    if _present is None:
        from .testing import Desk

        return Desk()
    return _present


def replace(host: Host | None) -> Host | None:
    """Puts another in its place, and returns the one before."""
    global _present
    before, _present = _present, host
    return before
