"""What the author of a Servicewright plugin in Python depends on.

A plugin is a WebAssembly component that answers at one or more *hooks*. Each hook is a module here,
whose decorator `hook` puts a function in the place where the server looks for it:

    module          the function                        asked
    approval        decide(call, record, request)       who has to agree
    routing         route(call, record)                 who should work on it
    service_level   targets(call, record, agreement)    what was promised
    delivery        deliver(call, event)                to tell the outside world
    webhook         receive(call, request)              what a request means
    schedule        run(call)                           to look at the outside world

The first three are *pure*: the answer follows from what they are given and what they look up in
`directory` and `business_time`, so that any decision can be replayed. The other three may also use
`http`, `key_value` and `signing`, as far as their binding grants it. All may write to `log`.

Instants are `datetime`s in UTC, spans are `timedelta`s, and the fields of a record are plain
values: see `Fields`. A hook that cannot answer raises `InvalidInput`, `Misconfigured` or
`Unavailable`; any other exception tells the server that the plugin itself went wrong. Whichever it
is, the fallback that the process owner declared applies.

`servicewright_sdk.testing` has a desk for the plugin's tests, which run without a server.
"""

from ._call import Call
from ._errors import Internal, InvalidInput, Misconfigured, PluginError, Unavailable
from ._fields import Fields, Value
from ._record import Category, Record
from ._time import TimeLimit, iso_duration, rfc3339

__all__ = [
    "Call",
    "Category",
    "Fields",
    "Internal",
    "InvalidInput",
    "Misconfigured",
    "PluginError",
    "Record",
    "TimeLimit",
    "Unavailable",
    "Value",
    "iso_duration",
    "rfc3339",
]
