"""Lets harmless changes pass, and asks a team about all others."""

from dataclasses import dataclass, field

from servicewright_sdk import approval


@dataclass
class Settings:
    team: str
    harmless: list[str] = field(default_factory=lambda: ["low"])


@approval.hook
def decide(
    call: approval.Call, record: approval.Record, request: approval.Request
) -> approval.Verdict:
    settings = call.settings_as(Settings)
    impact = record.field("impact", str)
    if impact in settings.harmless:
        return approval.Approve(f"A change of {impact} impact is harmless.")
    review = approval.Stage(
        id="review",
        approvers=[approval.Team(settings.team)],
        quorum=approval.ANY,
        reason=f"The change has {impact} impact.",
    )
    return approval.Ask([review])
