"""Gives work to whoever of one team has the least to do."""

from dataclasses import dataclass

from servicewright_sdk import directory, routing


@dataclass
class Settings:
    team: str


@routing.hook
def route(call: routing.Call, record: routing.Record) -> routing.Assignment:
    settings = call.settings_as(Settings)
    members = directory.members(settings.team)
    quietest = min(members, key=lambda member: member.open_records, default=None)
    if quietest is None:
        return routing.Assignment(team=settings.team, reason="Nobody is in the team yet.")
    return routing.Assignment(
        team=settings.team,
        assignee=quietest.user,
        reason=f"{quietest.user} has {quietest.open_records} open.",
    )
