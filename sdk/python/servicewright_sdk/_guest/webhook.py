"""The `webhook` hook of a component."""

from typing import Any

from wit_world.exports import webhook as wire

from ..webhook import Reply, Request
from .answering import answer
from .commands import commands_out
from .convert import unfit


class Webhook:
    """Found by its name."""

    def receive(self, call: Any, request: Any) -> Any:
        return answer("webhook", call, lambda: _request(request), out=_out)


def _request(given: Any) -> Request:
    return Request(
        method=given.method, path=given.path, headers=given.headers, body=bytes(given.body)
    )


def _out(reply: object) -> Any:
    if not isinstance(reply, Reply):
        raise unfit("webhook", reply, "a Reply")
    response = reply.response
    return wire.Reply(
        response=wire.HttpResponse(response.status, list(response.headers), response.body),
        delivery=reply.delivery,
        commands=commands_out("webhook", reply.commands),
    )
