"""The hook that decides who has to agree before a record goes on. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias, TypeVar

from . import _check, _hooks
from ._call import Call
from ._fields import Fields
from ._record import Record
from ._time import TimeLimit

__all__ = [
    "ALL",
    "ANY",
    "Approve",
    "Approver",
    "Ask",
    "Call",
    "Count",
    "Percent",
    "Quorum",
    "Record",
    "Reject",
    "Request",
    "Role",
    "Stage",
    "Team",
    "TimeLimit",
    "User",
    "Verdict",
    "Vote",
    "hook",
]

_MOST = 2**32 - 1


@dataclass(frozen=True, kw_only=True)
class Vote:
    """A vote somebody gave."""

    stage: str
    """The stage it was given in."""
    user: str
    """Who gave it."""
    approves: bool
    """Whether it was for or against."""
    at: datetime
    """When it was given."""
    reason: str | None = None
    """Why, in the voter's words."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is put to the vote."""

    transition: str
    """The transition that asks."""
    input: Fields = field(default_factory=Fields)
    """What the form of that transition was given."""
    votes: list[Vote] = field(default_factory=list)
    """All votes in earlier rounds about this record, the oldest first."""


@dataclass(frozen=True)
class User:
    """The person of this id may vote."""

    id: str

    def __post_init__(self) -> None:
        _check.text("id", self.id)


@dataclass(frozen=True)
class Team:
    """Everybody in the team of this id may vote."""

    id: str

    def __post_init__(self) -> None:
        _check.text("id", self.id)


@dataclass(frozen=True)
class Role:
    """Everybody who has this role may vote."""

    id: str

    def __post_init__(self) -> None:
        _check.text("id", self.id)


Approver: TypeAlias = User | Team | Role
"""Somebody who may vote."""


@dataclass(frozen=True)
class _Everybody:
    pass


@dataclass(frozen=True)
class _Anybody:
    pass


ALL = _Everybody()
"""Every one of them has to agree."""

ANY = _Anybody()
"""One of them has to agree."""


@dataclass(frozen=True)
class Count:
    """So many of them have to agree."""

    number: int

    def __post_init__(self) -> None:
        _check.count("number", self.number, 1, _MOST)


@dataclass(frozen=True)
class Percent:
    """So many of a hundred of them have to agree, rounded up."""

    number: int

    def __post_init__(self) -> None:
        _check.count("number", self.number, 1, 100)


Quorum: TypeAlias = _Everybody | _Anybody | Count | Percent
"""How many approvers have to agree; fixed as the stage opens."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One round of voting."""

    id: str
    """Its name, one of a kind within the answer."""
    approvers: Sequence[Approver]
    """Who may vote. Neither the actor nor the requester has a vote, even if named."""
    quorum: Quorum = ALL
    """How many of them have to agree."""
    timeout: TimeLimit | None = None
    """Once this is over without a decision, the approval has expired."""
    reason: str
    """Why these are asked: a sentence that approvers read and the journal keeps."""

    def __post_init__(self) -> None:
        _check.text("id", self.id)
        _check.items("approvers", self.approvers, (User, Team, Role))
        _check.one_of("quorum", self.quorum, (_Everybody, _Anybody, Count, Percent))
        if self.timeout is not None:
            _check.one_of("timeout", self.timeout, (TimeLimit,))
        _check.text("reason", self.reason)


@dataclass(frozen=True)
class Approve:
    """Nobody has to be asked; a sentence says why not."""

    reason: str

    def __post_init__(self) -> None:
        _check.text("reason", self.reason)


@dataclass(frozen=True)
class Reject:
    """It is not to be; a sentence says why not."""

    reason: str

    def __post_init__(self) -> None:
        _check.text("reason", self.reason)


@dataclass(frozen=True)
class Ask:
    """These are to be asked, stage after stage."""

    stages: Sequence[Stage]

    def __post_init__(self) -> None:
        _check.items("stages", self.stages, (Stage,))


Verdict: TypeAlias = Approve | Reject | Ask
"""The answer."""

F = TypeVar("F", bound=Callable[[Call, Record, Request], Verdict])


def hook(function: F) -> F:
    """Makes `decide(call, record, request)` the component's answer for the states that need
    agreement.

    Asked once, as a record enters such a state; when its votes are in, the workflow goes on by
    itself. Where it raises, the stages in the workflow are voted on instead.
    """
    return _hooks.put("approval", function)
