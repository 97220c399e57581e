"""The circumstances of one call of a hook."""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, TypeVar

from ._fields import Fields
from ._settings import into

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Call:
    """The circumstances of one call. A pure hook has no other clock and no other source of
    chance."""

    id: str
    """Unchanged when a call is tried again, and so fit to be an idempotency key elsewhere."""
    attempt: int
    """Counts tries, from 1."""
    now: datetime
    """The time it is."""
    seed: int
    """What to draw chance from: the same whenever this decision is replayed."""
    actor: str
    """Whoever set this off: the id of a person, `binding:` and the id of a binding, or `timer`."""
    settings: dict[str, Any] = field(default_factory=dict)
    """The settings of the binding, which the plugin's own schema accepts."""
    facts: Fields = field(default_factory=Fields)
    """What later servers say beyond the rest."""

    def settings_as(self, kind: type[T]) -> T:
        """The settings of the binding, as the plugin's own dataclass.

        Its fields may be texts, numbers, booleans, lists, dicts, other dataclasses, `Literal`s,
        `Enum`s (by value), a `datetime` (RFC 3339) or a `timedelta` (ISO 8601); fields with a
        default need not be set. Raises `Misconfigured` with what does not fit: the server has
        checked the settings against the plugin's schema before, so this happens where the schema
        allows more than the dataclass.
        """
        return into(self.settings, kind)

    def random(self) -> Random:
        """A source of chance that gives the same whenever this decision is replayed.

        Python's own `random` module begins in the state it had when the component was built: draw
        from this one instead.
        """
        return Random(self.seed)
