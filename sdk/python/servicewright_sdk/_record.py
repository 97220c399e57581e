"""The record that a hook is asked about."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar, overload

from ._fields import _REQUIRED, Fields

T = TypeVar("T")
D = TypeVar("D")


class Category(Enum):
    """The part of its life a record is in, under whatever name the workflow gives the state."""

    OPEN = "open"
    """Somebody is to work on it."""
    WAITING = "waiting"
    """It waits for somebody or something else."""
    RESOLVED = "resolved"
    """The work is done; the requester may still say otherwise."""
    CLOSED = "closed"
    """It is over."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record as the running step would leave it, were the answer asked for not needed: form,
    `set`, computed fields and decision tables are already applied."""

    id: str | None = None
    """The number people quote, such as `INC-1042`; none while the record is being created."""
    workflow: str
    """Which workflow it follows."""
    state: str
    """The state it is in."""
    category: Category
    """What that state means."""
    version: int
    """Counts committed changes; 0 while the record is being created."""
    requester: str | None = None
    """The person it is for."""
    assignee: str | None = None
    """The person who works on it."""
    team: str | None = None
    """The team that works on it."""
    opened_at: datetime
    """When it was created."""
    updated_at: datetime
    """When it last changed."""
    state_since: datetime
    """When it came into its present state."""
    fields: Fields = field(default_factory=Fields)
    """What its workflow has it hold."""
    facts: Fields = field(default_factory=Fields)
    """What later servers say beyond the rest."""

    @overload
    def field(self, id: str, wanted: type[T]) -> T: ...

    @overload
    def field(self, id: str, wanted: type[T], default: D) -> T | D: ...

    def field(self, id: str, wanted: Any, default: Any = _REQUIRED) -> Any:
        """A field, as the type wanted: see `Fields.read`."""
        if default is _REQUIRED:
            return self.fields.read(id, wanted)
        return self.fields.read(id, wanted, default)
