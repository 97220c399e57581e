"""Turns signed alerts into records.

An alert is JSON such as `{"id": "a-17", "summary": "Disk full"}`, and its header `x-signature` is
the HMAC-SHA-256 of the body in hexadecimal digits.
"""

from dataclasses import dataclass

from servicewright_sdk import commands, signing, webhook


@dataclass
class Settings:
    secret: str
    workflow: str = "incident"


@webhook.hook
def receive(call: webhook.Call, request: webhook.Request) -> webhook.Reply:
    settings = call.settings_as(Settings)
    if not is_genuine(request, settings.secret):
        return webhook.Reply(webhook.Response.text(401, "The signature does not fit."))
    alert = request.fields()
    id = alert.read("id", str)
    # However often the alert comes, its reference makes one record of it.
    create = commands.Create(
        settings.workflow, {"summary": alert.read("summary", str)}, reference=id
    )
    return webhook.Reply(webhook.Response(204), [create])


def is_genuine(request: webhook.Request, secret: str) -> bool:
    try:
        signature = bytes.fromhex(request.header("x-signature") or "")
    except ValueError:
        return False
    return signing.verify_hmac_sha256(secret, request.body, signature)
