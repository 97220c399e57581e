"""Which function answers at which hook. The entry of the component asks for them here."""

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

HOOKS = ("approval", "routing", "service-level", "delivery", "webhook", "schedule")


class HookError(TypeError):
    """A decorator stands where it cannot."""


_answering: dict[str, Callable[..., Any]] = {}


def put(hook: str, function: F) -> F:
    """Makes a function the one that answers at a hook."""
    if not callable(function):
        raise HookError(f"only a function can answer at the hook {hook}: put `@` before its `def`")
    before = _answering.get(hook)
    if before is not None and _name(before) != _name(function):
        raise HookError(
            f"two functions answer at the hook {hook}: {_name(before)} and {_name(function)}"
        )
    _answering[hook] = function
    return function


def of(hook: str) -> Callable[..., Any] | None:
    """The function that answers at a hook."""
    return _answering.get(hook)


def answered() -> list[str]:
    """The hooks at which a function answers."""
    return [hook for hook in HOOKS if hook in _answering]


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{getattr(function, '__qualname__', function)}"
