"""What the binding of an integration remembers between calls, apart from all other bindings.

What was written stays written, even if the call then fails.
"""

from collections.abc import Callable

from . import _check, _host
from ._errors import Unavailable

_MAX_TRIES = 16
"""How often `update` tries before it gives up: more writers at once than this are not expected."""


def get(key: str) -> bytes | None:
    """The value of a key."""
    return _host.present().key_value_get(key)


def compare_and_set(key: str, expected: bytes | None, value: bytes | None) -> bool:
    """Writes if the key holds `expected` just now, and tells whether it did. `None` means no
    value."""
    for name, given in (("expected", expected), ("value", value)):
        if given is not None:
            _check.data(name, given)
    return _host.present().key_value_compare_and_set(key, expected, value)


def update(key: str, change: Callable[[bytes | None], bytes | None]) -> None:
    """Changes the value of a key, whoever else may be changing it: `change` is asked again with the
    new value where somebody came first.

    Raises `Unavailable` where others keep coming first.
    """
    for _ in range(_MAX_TRIES):
        present = get(key)
        if compare_and_set(key, present, change(present)):
            return
    raise Unavailable(f"others kept changing the key `{key}`")


def keys(prefix: str = "", after: str | None = None) -> list[str]:
    """Keys that begin with `prefix`, sorted, beginning behind `after`, up to 100."""
    return _host.present().key_value_keys(prefix, after)
