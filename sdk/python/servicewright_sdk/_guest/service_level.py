"""The `service-level` hook of a component."""

from typing import Any

from wit_world.exports import service_level as wire

from .._time import TimeLimit, to_millis
from ..service_level import Agreement, Target, Within
from .answering import answer
from .convert import fields, record, time_limit_out, unfit


class ServiceLevel:
    """Found by its name."""

    def targets(self, call: Any, subject: Any, agreement: Any) -> Any:
        return answer(
            "service-level", call, lambda: record(subject), lambda: _agreement(agreement), out=_out
        )


def _agreement(given: Any) -> Agreement:
    return Agreement(
        id=given.id,
        targets=given.targets,
        calendar=given.calendar,
        facts=fields(given.facts),
    )


def _out(targets: object) -> Any:
    if not isinstance(targets, (list, tuple)):
        raise unfit("service-level", targets, "a list of Targets")
    return [_target(target) for target in targets]


def _target(target: object) -> Any:
    if not isinstance(target, Target):
        raise unfit("service-level", target, "a list of Targets")
    goal = target.goal
    if isinstance(goal, Within):
        limit = TimeLimit(goal.duration, goal.calendar)
        wire_goal = wire.Goal_Within(time_limit_out(limit))
    else:
        wire_goal = wire.Goal_DueAt(to_millis(goal.at))
    return wire.Target(target.id, wire_goal, list(target.warn_at_percent), target.reason)
