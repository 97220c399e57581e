"""The hook that looks at the outside world now and then."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from . import _hooks
from ._call import Call
from .commands import Command

__all__ = ["Call", "Command", "hook"]

F = TypeVar("F", bound=Callable[[Call], Sequence[Command]])


def hook(function: F) -> F:
    """Makes `run(call)` the component's answer at the times that the binding sets. It returns what
    is to be done about what it saw, often nothing: `[]`."""
    return _hooks.put("schedule", function)
