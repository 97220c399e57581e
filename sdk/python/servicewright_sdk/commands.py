"""What an integration may ask the server to do.

>>> ticket = Reference("alert-17")
>>> answer = [
...     Create("incident", {"summary": "Disk full"}, reference="alert-17"),
...     Comment(ticket, "Seen by the monitoring.", public=True),
...     Transition(ticket, "start", on_behalf_of="ann"),
... ]

Commands run in order; the first that is refused ends the list. Each is safe to repeat: its
idempotency key is made of the call's id and its place in the list.
"""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from . import _check, _fields

__all__ = [
    "Assign",
    "Command",
    "Comment",
    "Create",
    "Id",
    "Link",
    "Refer",
    "Reference",
    "Subject",
    "Transition",
    "Update",
    "Vote",
]


@dataclass(frozen=True)
class Id:
    """The record of this number, such as `INC-1042`."""

    id: str

    def __post_init__(self) -> None:
        _check.text("id", self.id)


@dataclass(frozen=True)
class Reference:
    """The record that this binding knows by this name for the outside world."""

    reference: str

    def __post_init__(self) -> None:
        _check.text("reference", self.reference)


Subject: TypeAlias = Id | Reference
"""A record, by one of two names."""


@dataclass(frozen=True)
class _Said:
    on_behalf_of: str | None = field(default=None, kw_only=True)
    """The person who said so out there, for a binding granted `act-as`; otherwise the binding
    speaks."""

    def __post_init__(self) -> None:
        _check.optional_text("on_behalf_of", self.on_behalf_of)


@dataclass(frozen=True)
class Create(_Said):
    """Creates a record."""

    workflow: str
    """The workflow it is to follow."""
    fields: dict[str, Any]
    """What it is to hold."""
    reference: str | None = field(default=None, kw_only=True)
    """A name for it. If a record of this binding already has this reference, none is created."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check.text("workflow", self.workflow)
        _fields.check(self.fields)
        _check.optional_text("reference", self.reference)


@dataclass(frozen=True)
class _Change(_Said):
    subject: Subject
    """The record to change."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check.one_of("subject", self.subject, (Id, Reference))


@dataclass(frozen=True)
class Transition(_Change):
    """Takes a transition."""

    name: str
    """Which."""
    input: dict[str, Any] = field(default_factory=dict)
    """What its form asks for."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check.text("name", self.name)
        _fields.check(self.input, "input")


@dataclass(frozen=True)
class Update(_Change):
    """Gives fields new values."""

    fields: dict[str, Any]
    """Which, and what they are to hold; `None` empties one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _fields.check(self.fields)


@dataclass(frozen=True)
class Assign(_Change):
    """Hands a record to a team, and to somebody in it."""

    team: str
    """The team."""
    assignee: str | None = None
    """Somebody of that team."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check.text("team", self.team)
        _check.optional_text("assignee", self.assignee)


@dataclass(frozen=True)
class Vote(_Change):
    """Votes on a record."""

    approves: bool
    """For or against."""
    reason: str | None = None
    """Why."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check.flag("approves", self.approves)
        _check.optional_text("reason", self.reason)


@dataclass(frozen=True)
class Comment(_Change):
    """Says something about a record."""

    text: str
    """What."""
    public: bool = field(default=False, kw_only=True)
    """Whether the requester sees it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check.text("text", self.text)
        _check.flag("public", self.public)


@dataclass(frozen=True)
class Link(_Change):
    """Links a record to another."""

    kind: str
    """The kind of the link, which the workflow defines."""
    target: Subject
    """The other record."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check.text("kind", self.kind)
        _check.one_of("target", self.target, (Id, Reference))


@dataclass(frozen=True)
class Refer(_Change):
    """Gives a record one more reference, together with the other commands of the call."""

    reference: str
    """The name for it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check.text("reference", self.reference)


Command: TypeAlias = Create | Transition | Update | Assign | Vote | Comment | Link | Refer
"""One thing to do."""

KINDS = (Create, Transition, Update, Assign, Vote, Comment, Link, Refer)
