"""The `schedule` hook of a component."""

from typing import Any

from .answering import answer
from .commands import commands_out


class Schedule:
    """Found by its name."""

    def run(self, call: Any) -> Any:
        return answer("schedule", call, out=lambda given: commands_out("schedule", given))
