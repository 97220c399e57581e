"""Looking up people, teams and whatever else the desk keeps, as far as the binding was granted it.

A look-up sees the desk as it is when it is made. A kind that was not granted is
`Misconfigured`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from . import _check, _host
from ._fields import Fields, check
from ._record import Record


@dataclass(frozen=True)
class Person:
    """Somebody the desk knows."""

    id: str
    """Their id."""
    name: str = ""
    """Their name, for people to read."""
    manager: str | None = None
    """The id of whom they report to."""
    organisation: str | None = None
    """The id of the organisation they belong to."""
    facts: Fields = field(default_factory=Fields)
    """What else the desk keeps about them."""


@dataclass(frozen=True)
class Member:
    """Somebody in a team."""

    user: str
    """Their id."""
    skills: list[str] = field(default_factory=list)
    """What they know how to do."""
    on_shift: bool = True
    """Whether they are at work just now."""
    open_records: int = 0
    """How many records that are not resolved they are assigned to."""
    last_assigned_at: datetime | None = None
    """When a record was last assigned to them."""
    facts: Fields = field(default_factory=Fields)
    """What else the desk keeps about them: `on-call`, whether they are, where the team has a rota;
    `absent`, true while they are out of office; `skill-levels`, from skill to level, where any has
    another level than 1."""


def user(id: str) -> Person | None:
    """The person of this id, where the desk knows one. Needs `user` granted."""
    return _host.present().user(id)


def teams() -> list[str]:
    """The ids of all teams. Needs `team` granted."""
    return _host.present().teams()


def members(team: str) -> list[Member]:
    """Everybody in a team; nobody where there is no such team. Needs `team` granted."""
    return _host.present().members(team)


def find(kind: str, id: str) -> Fields | None:
    """Whatever else the desk keeps: an `organisation`, a `contract`, a `service`. Needs that kind
    granted."""
    return _host.present().find(kind, id)


def linked(id: str, kind: str) -> list[Record]:
    """The records that the links of this kind lead to. Needs `record` granted."""
    return _host.present().linked(id, kind)


def alike(workflow: str, fields: Mapping[str, Any], since: datetime) -> list[Record]:
    """Records of a workflow that hold exactly these values and changed since then, the latest
    first, up to 100. Needs `record` granted."""
    fields = Fields(fields)
    check(fields)
    _check.instant("since", since)
    return _host.present().alike(workflow, fields, since)


def referenced(reference: str) -> Record | None:
    """The record that this binding knows by a reference. Needs `record` granted."""
    return _host.present().referenced(reference)
