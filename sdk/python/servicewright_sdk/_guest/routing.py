"""The `routing` hook of a component."""

from typing import Any

from wit_world.exports import routing as wire

from ..routing import Assignment
from .answering import answer
from .convert import record, unfit


class Routing:
    """Found by its name."""

    def route(self, call: Any, subject: Any) -> Any:
        return answer("routing", call, lambda: record(subject), out=_out)


def _out(assignment: object) -> Any:
    if not isinstance(assignment, Assignment):
        raise unfit("routing", assignment, "an Assignment")
    return wire.Assignment(assignment.team, assignment.assignee, assignment.reason)
