"""Lines for the operator, shown with the trace of the call.

How much a call may write is limited; what is beyond the limit is dropped.
"""

from . import _host


def debug(message: str) -> None:
    """Writes a line for whoever works on the plugin."""
    _host.present().log("debug", str(message))


def info(message: str) -> None:
    """Writes a line worth knowing."""
    _host.present().log("info", str(message))


def warn(message: str) -> None:
    """Writes a line somebody should look at."""
    _host.present().log("warn", str(message))


def error(message: str) -> None:
    """Writes that something failed."""
    _host.present().log("error", str(message))
