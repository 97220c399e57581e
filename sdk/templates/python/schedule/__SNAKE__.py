"""Looks whether a page answers, and reports it where it does not."""

from dataclasses import dataclass
from datetime import timedelta

from servicewright_sdk import Unavailable, commands, http, schedule


@dataclass
class Settings:
    url: str
    workflow: str = "incident"


@schedule.hook
def run(call: schedule.Call) -> list[schedule.Command]:
    settings = call.settings_as(Settings)
    wrong = what_is_wrong(settings.url)
    if wrong is None:
        return []
    # One record a day: the reference is the same until tomorrow.
    reference = f"{settings.url} {call.now:%Y-%m-%d}"
    summary = f"{settings.url} does not answer as it should: {wrong}"
    return [commands.Create(settings.workflow, {"summary": summary}, reference=reference)]


def what_is_wrong(url: str) -> str | None:
    try:
        response = http.get(url, timeout=timedelta(seconds=5))
    except Unavailable as failed:
        return failed.message
    return None if response.is_success else f"its status is {response.status}"
