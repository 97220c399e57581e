"""Sets the goals by the impact of a record."""

from dataclasses import dataclass, field
from datetime import timedelta

from servicewright_sdk import service_level


@dataclass
class Settings:
    goals: dict[str, timedelta] = field(default_factory=dict)
    otherwise: timedelta = timedelta(hours=24)


@service_level.hook
def targets(
    call: service_level.Call, record: service_level.Record, agreement: service_level.Agreement
) -> list[service_level.Target]:
    settings = call.settings_as(Settings)
    impact = record.field("impact", str, default="unknown")
    within = settings.goals.get(impact, settings.otherwise)
    return [
        service_level.Target(
            id=target,
            goal=service_level.Within(within, agreement.calendar),
            warn_at_percent=[75],
            reason=f"So much is promised for {impact} impact.",
        )
        for target in agreement.targets
    ]
