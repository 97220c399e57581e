// Answers at every hook, and uses everything of the contract, as its counterpart in Rust does.

import {
  InvalidInput,
  Misconfigured,
  approval,
  businessTime,
  commands,
  delivery,
  directory,
  field,
  keyValue,
  log,
  routing,
  schedule,
  serviceLevel,
  signing,
  webhook,
} from "@servicewright/sdk";

export const route = routing((call, record) => {
  const { team } = call.settings;
  const impact = field.text(record.fields, "impact");
  const [quietest] = directory.members(team).sort((one, other) => one.openRecords - other.openRecords);
  if (quietest === undefined) {
    throw new InvalidInput("nobody is in the team");
  }
  const due = businessTime.add("office", call.now, "PT1H");
  const spent = businessTime.between("office", call.now, due) / 1000;
  log.info("routed");
  const reason = `impact ${impact}, ${quietest.openRecords} open, ${spent} s`;
  return { team, assignee: quietest.user, reason };
});

export const decide = approval((call, record, request) => {
  if (field.text(record.fields, "impact") === "low") {
    return { approve: "The impact is low." };
  }
  const manager = directory.user("ann")?.manager;
  if (!manager) {
    throw new Misconfigured("ann has no manager");
  }
  const reason = `${request.transition} by ${manager}`;
  return { ask: [{ id: "manager", approvers: [{ user: manager }], quorum: "any", timeout: "P2D", reason }] };
});

export const targets = serviceLevel((call, record, agreement) =>
  agreement.targets.map((id) => ({
    id,
    within: "PT4H",
    calendar: agreement.calendar,
    warnAtPercent: [50, 75],
    reason: `promised by ${agreement.id}`,
  })),
);

export const deliver = delivery((call, event) => {
  const seen = keyValue.get(event.id) !== null;
  keyValue.compareAndSet(event.id, null, "seen");
  const text = `${event.kind}, seen before: ${seen}, keys: ${keyValue.keys("").length}`;
  return [commands.comment({ reference: "golden" }, text, { public: true })];
});

export const receive = webhook((call, request) => {
  const signature = signing.hmacSha256("key", request.body);
  const own = signing.verifyHmacSha256("key", request.body, signature);
  const secret = signing.isSecret("key", "a guess");
  return {
    status: 202,
    headers: { "content-type": "text/plain; charset=utf-8" },
    body: `${request.method} ${request.path} own: ${own} guessed: ${secret}`,
    delivery: "delivery-1",
    commands: [
      commands.create("incident", { summary: "From outside" }, { reference: "golden", onBehalfOf: "ann" }),
    ],
  };
});

export const run = schedule(() => {
  const digits = signing.toHex(signing.hmacSha256("key", "what do ya want for nothing?"));
  return [commands.transition({ id: "INC-1" }, "resolve", { resolution: digits })];
});
