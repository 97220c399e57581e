"""Why a hook or a look-up gave no answer."""

from datetime import timedelta


class PluginError(Exception):
    """Why there is no answer. Hooks raise one of its kinds, and look-ups do too."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        """What went wrong, without saying which kind of failure it is."""


class InvalidInput(PluginError):
    """The record or request is not what the plugin can work with; asking again would not help."""


class Misconfigured(PluginError):
    """The binding's settings or grants do not fit; asking again would not help."""


class Unavailable(PluginError):
    """Something beyond the plugin gave no answer; asking again may help."""

    def __init__(self, message: str, *, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after
        """How long to wait before asking again, where that is known."""


class Internal(PluginError):
    """The plugin itself went wrong. Any exception that is no `PluginError` counts as one."""
