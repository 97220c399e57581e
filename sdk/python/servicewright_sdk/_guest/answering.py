"""Asks the author's function, and turns whatever it raises into an error of the contract."""

from collections.abc import Callable
from typing import Any

from .. import _hooks
from .convert import call, error_out


def answer(hook: str, given: Any, *arguments: Callable[[], Any], out: Callable[[Any], Any]) -> Any:
    """The author's answer to a call, as it goes out."""
    function = _hooks.of(hook)
    try:
        if function is None:
            raise RuntimeError(f"no function answers at the hook {hook}")
        return out(function(call(given), *(argument() for argument in arguments)))
    except MemoryError:
        # Let it end the call: the server knows that it refused memory, and says so.
        raise
    except Exception as raised:
        raise error_out(raised) from None
