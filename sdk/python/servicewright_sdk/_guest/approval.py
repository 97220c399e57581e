"""The `approval` hook of a component."""

from typing import Any

from wit_world.exports import approval as wire

from ..approval import (
    ANY,
    Approve,
    Approver,
    Ask,
    Count,
    Percent,
    Quorum,
    Reject,
    Request,
    Stage,
    Team,
    User,
    Vote,
)
from .answering import answer
from .convert import fields, instant, record, time_limit_out, unfit


class Approval:
    """Found by its name."""

    def decide(self, call: Any, subject: Any, request: Any) -> Any:
        return answer(
            "approval", call, lambda: record(subject), lambda: _request(request), out=_out
        )


def _request(given: Any) -> Request:
    return Request(
        transition=given.transition,
        input=fields(given.input),
        votes=[
            Vote(
                stage=vote.stage,
                user=vote.user,
                approves=vote.approves,
                at=instant(vote.at),
                reason=vote.reason,
            )
            for vote in given.votes
        ],
    )


def _out(verdict: object) -> Any:
    if isinstance(verdict, Approve):
        return wire.Verdict_Approve(verdict.reason)
    if isinstance(verdict, Reject):
        return wire.Verdict_Reject(verdict.reason)
    if isinstance(verdict, Ask):
        return wire.Verdict_Ask([_stage(stage) for stage in verdict.stages])
    raise unfit("approval", verdict, "Approve, Reject or Ask")


def _stage(stage: Stage) -> Any:
    return wire.Stage(
        id=stage.id,
        approvers=[_approver(approver) for approver in stage.approvers],
        quorum=_quorum(stage.quorum),
        timeout=None if stage.timeout is None else time_limit_out(stage.timeout),
        reason=stage.reason,
    )


def _approver(approver: Approver) -> Any:
    if isinstance(approver, User):
        return wire.Approver_User(approver.id)
    if isinstance(approver, Team):
        return wire.Approver_Team(approver.id)
    return wire.Approver_Role(approver.id)


def _quorum(quorum: Quorum) -> Any:
    if isinstance(quorum, Count):
        return wire.Quorum_Count(quorum.number)
    if isinstance(quorum, Percent):
        return wire.Quorum_Percent(quorum.number)
    return wire.Quorum_Any() if quorum == ANY else wire.Quorum_All()
