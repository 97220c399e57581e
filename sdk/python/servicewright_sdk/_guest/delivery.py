"""The `delivery` hook of a component."""

import json
from typing import Any

from ..delivery import Event
from .answering import answer
from .commands import commands_out
from .convert import record


class Delivery:
    """Found by its name."""

    def deliver(self, call: Any, event: Any) -> Any:
        return answer(
            "delivery",
            call,
            lambda: _event(event),
            out=lambda given: commands_out("delivery", given),
        )


def _event(given: Any) -> Event:
    return Event(
        id=given.id,
        kind=given.kind,
        record=record(given.subject),
        references=given.references,
        data=json.loads(given.data),
    )
