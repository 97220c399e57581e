"""Answers at every hook, and uses everything of the contract, as its counterpart in Rust does."""

from dataclasses import dataclass
from datetime import timedelta

from servicewright_sdk import (
    InvalidInput,
    Misconfigured,
    approval,
    business_time,
    commands,
    delivery,
    directory,
    key_value,
    log,
    routing,
    schedule,
    service_level,
    signing,
    webhook,
)


@dataclass
class Settings:
    team: str


@routing.hook
def route(call: routing.Call, record: routing.Record) -> routing.Assignment:
    settings = call.settings_as(Settings)
    impact = record.field("impact", str)
    members = directory.members(settings.team)
    quietest = min(members, key=lambda member: member.open_records, default=None)
    if quietest is None:
        raise InvalidInput("nobody is in the team")
    due = business_time.add("office", call.now, timedelta(hours=1))
    spent = business_time.between("office", call.now, due)
    log.info("routed")
    return routing.Assignment(
        team=settings.team,
        assignee=quietest.user,
        reason=f"impact {impact}, {quietest.open_records} open, {spent.seconds} s",
    )


@approval.hook
def decide(
    call: approval.Call, record: approval.Record, request: approval.Request
) -> approval.Verdict:
    if record.field("impact", str) == "low":
        return approval.Approve("The impact is low.")
    ann = directory.user("ann")
    if ann is None or ann.manager is None:
        raise Misconfigured("ann has no manager")
    stage = approval.Stage(
        id="manager",
        approvers=[approval.User(ann.manager)],
        quorum=approval.ANY,
        timeout=approval.TimeLimit(timedelta(days=2)),
        reason=f"{request.transition} by {ann.manager}",
    )
    return approval.Ask([stage])


@service_level.hook
def targets(
    call: service_level.Call, record: service_level.Record, agreement: service_level.Agreement
) -> list[service_level.Target]:
    return [
        service_level.Target(
            id=target,
            goal=service_level.Within(timedelta(hours=4), agreement.calendar),
            warn_at_percent=[50, 75],
            reason=f"promised by {agreement.id}",
        )
        for target in agreement.targets
    ]


@delivery.hook
def deliver(call: delivery.Call, event: delivery.Event) -> list[delivery.Command]:
    seen = str(key_value.get(event.id) is not None).lower()
    key_value.compare_and_set(event.id, None, b"seen")
    text = f"{event.kind}, seen before: {seen}, keys: {len(key_value.keys())}"
    return [commands.Comment(commands.Reference("golden"), text, public=True)]


@webhook.hook
def receive(call: webhook.Call, request: webhook.Request) -> webhook.Reply:
    signature = signing.hmac_sha256("key", request.body)
    own = str(signing.verify_hmac_sha256("key", request.body, signature)).lower()
    secret = str(signing.is_secret("key", b"a guess")).lower()
    body = f"{request.method} {request.path} own: {own} guessed: {secret}"
    fields = {"summary": "From outside"}
    create = commands.Create("incident", fields, reference="golden", on_behalf_of="ann")
    return webhook.Reply(webhook.Response.text(202, body), [create], delivery="delivery-1")


@schedule.hook
def run(call: schedule.Call) -> list[schedule.Command]:
    digits = signing.hmac_sha256("key", b"what do ya want for nothing?").hex()
    return [commands.Transition(commands.Id("INC-1"), "resolve", {"resolution": digits})]
