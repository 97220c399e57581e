"""Tells another system what happened to a record."""

from dataclasses import dataclass

from servicewright_sdk import Misconfigured, Unavailable, delivery, http


@dataclass
class Settings:
    url: str


@delivery.hook
def deliver(call: delivery.Call, event: delivery.Event) -> list[delivery.Command]:
    settings = call.settings_as(Settings)
    told = {"event": event.kind, "record": event.record.id, "state": event.record.state}
    # The same event may be delivered twice; its call's id tells the other side so.
    response = http.post(settings.url, json=told, headers={"idempotency-key": call.id})
    if response.status == 429 or response.status >= 500:
        raise Unavailable(f"it answered {response.status}", after=response.retry_after)
    if not response.is_success:
        raise Misconfigured(f"it answered {response.status}")
    return []
