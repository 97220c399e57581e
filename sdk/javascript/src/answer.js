// What a hook answers, from plain objects to the contract's shapes. Whatever does not fit is named.

import * as check from "./check.js";
import { Internal } from "./errors.js";
import { fieldsToContract } from "./value.js";

/** `{ team, assignee, reason }` */
export function assignment(given) {
  check.object(given, "the answer", ["team", "assignee", "reason"]);
  return {
    team: check.text(given.team, "the answer's `team`"),
    assignee: check.optionalText(given.assignee, "the answer's `assignee`"),
    reason: check.text(given.reason, "the answer's `reason`"),
  };
}

/** `{ approve: "why" }`, `{ reject: "why" }` or `{ ask: [stage] }` */
export function verdict(given) {
  return check.choice(given, "the answer", {
    approve: (why, place) => ({ tag: "approve", val: check.text(why, place) }),
    reject: (why, place) => ({ tag: "reject", val: check.text(why, place) }),
    ask: (stages, place) => ({ tag: "ask", val: check.list(stages, place, stage) }),
  });
}

/** `[{ id, within, calendar, warnAtPercent, reason }]`, or with `dueAt` in place of the first two. */
export function targets(given) {
  return check.list(given, "the answer", target);
}

/** A list of what `commands` makes. */
export function commands(given) {
  return check.list(given, "the answer", command);
}

/** `{ status, headers, body, delivery, commands }` */
export function reply(given) {
  check.object(given, "the answer", ["status", "headers", "body", "delivery", "commands"]);
  const given_commands = given.commands ?? [];
  return {
    response: {
      status: check.count(given.status, "the answer's `status`", 599),
      ...content(given),
    },
    delivery: check.optionalText(given.delivery, "the answer's `delivery`"),
    commands: check.list(given_commands, "the answer's `commands`", command),
  };
}

function stage(given, place) {
  check.object(given, place, ["id", "approvers", "quorum", "timeout", "reason"]);
  return {
    id: check.text(given.id, `${place}.id`),
    approvers: check.list(given.approvers, `${place}.approvers`, approver),
    quorum: quorum(given.quorum ?? "all", `${place}.quorum`),
    timeout: check.optional(given.timeout, (timeout) => timeLimit(timeout, `${place}.timeout`)),
    reason: check.text(given.reason, `${place}.reason`),
  };
}

function approver(given, place) {
  const named = (tag) => (id, place) => ({ tag, val: check.text(id, place) });
  return check.choice(given, place, { user: named("user"), team: named("team"), role: named("role") });
}

function quorum(given, place) {
  if (given === "all" || given === "any") {
    return { tag: given };
  }
  const so_many = (tag) => (number, place) => ({ tag, val: check.count(number, place) });
  return check.choice(given, place, { count: so_many("count"), percent: so_many("percent") });
}

/** Milliseconds or a text such as "PT4H", or `{ duration, calendar }`. */
function timeLimit(given, place) {
  if (typeof given !== "object") {
    return { duration: check.duration(given, place), calendar: undefined };
  }
  check.object(given, place, ["duration", "calendar"]);
  return {
    duration: check.duration(given.duration, `${place}.duration`),
    calendar: check.optionalText(given.calendar, `${place}.calendar`),
  };
}

function target(given, place) {
  check.object(given, place, ["id", "within", "calendar", "dueAt", "warnAtPercent", "reason"]);
  return {
    id: check.text(given.id, `${place}.id`),
    goal: goal(given, place),
    warnAtPercent: check.list(given.warnAtPercent ?? [], `${place}.warnAtPercent`, (percent, place) =>
      check.count(percent, place),
    ),
    reason: check.text(given.reason, `${place}.reason`),
  };
}

function goal({ within, calendar, dueAt }, place) {
  if (within !== undefined && dueAt === undefined) {
    return { tag: "within", val: timeLimit({ duration: within, calendar }, place) };
  }
  if (dueAt === undefined || within !== undefined || (calendar !== undefined && calendar !== null)) {
    throw new Internal(`${place} must have \`within\`, perhaps with \`calendar\`, or else \`dueAt\``);
  }
  return { tag: "due-at", val: check.instant(dueAt, `${place}.dueAt`) };
}

/** Headers and body: a text or bytes are sent as they are, anything else as JSON. */
export function content({ headers, body }) {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers ?? {});
  const list = pairs.map(([name, value]) => {
    return [name.toLowerCase(), check.text(value, `the header \`${name}\``)];
  });
  const typed = (type) => {
    if (!list.some(([name]) => name === "content-type")) {
      list.push(["content-type", type]);
    }
  };
  if (body === undefined || body === null) {
    return { headers: list, body: new Uint8Array() };
  }
  if (check.isBytes(body)) {
    return { headers: list, body: check.own(body) };
  }
  if (typeof body === "string") {
    typed("text/plain; charset=utf-8");
    return { headers: list, body: check.bytes(body, "the body") };
  }
  typed("application/json");
  return { headers: list, body: check.bytes(JSON.stringify(body), "the body") };
}

const CHANGES = {
  transition: ({ name, input }, place) => {
    return { name: check.text(name, `${place}.name`), input: fieldsToContract(input ?? {}, `${place}.input`) };
  },
  update: ({ fields }, place) => fieldsToContract(fields, `${place}.fields`),
  assign: ({ team, assignee }, place) => {
    return {
      team: check.text(team, `${place}.team`),
      assignee: check.optionalText(assignee, `${place}.assignee`),
    };
  },
  vote: ({ approves, reason }, place) => {
    return {
      approves: check.flag(approves, `${place}.approves`),
      reason: check.optionalText(reason, `${place}.reason`),
    };
  },
  comment: ({ text, public: seen }, place) => {
    return { text: check.text(text, `${place}.text`), public: check.flag(seen ?? false, `${place}.public`) };
  },
  link: ({ kind, target }, place) => {
    return { kind: check.text(kind, `${place}.kind`), target: subject(target, `${place}.target`) };
  },
  refer: ({ reference }, place) => check.text(reference, `${place}.reference`),
};

/** The entries of each kind of command, beside `action` and `onBehalfOf`. */
const ENTRIES = {
  create: ["workflow", "fields", "reference"],
  transition: ["subject", "name", "input"],
  update: ["subject", "fields"],
  assign: ["subject", "team", "assignee"],
  vote: ["subject", "approves", "reason"],
  comment: ["subject", "text", "public"],
  link: ["subject", "kind", "target"],
  refer: ["subject", "reference"],
};

/** One thing to do. */
export function command(given, place) {
  const action = given?.action;
  const entries = Object.hasOwn(ENTRIES, action) ? ENTRIES[action] : null;
  if (entries === null) {
    throw new Internal(`${place} must be a command; the functions of \`commands\` make one`);
  }
  check.object(given, place, ["action", "onBehalfOf", ...entries]);
  return {
    onBehalfOf: check.optionalText(given.onBehalfOf, `${place}.onBehalfOf`),
    action: action === "create" ? create(given, place) : change(given, place),
  };
}

function create({ workflow, fields, reference }, place) {
  return {
    tag: "create",
    val: {
      workflow: check.text(workflow, `${place}.workflow`),
      fields: fieldsToContract(fields, `${place}.fields`),
      reference: check.optionalText(reference, `${place}.reference`),
    },
  };
}

function change(given, place) {
  const { action } = given;
  const changed = { tag: action, val: CHANGES[action](given, place) };
  return { tag: "change", val: [subject(given.subject, `${place}.subject`), changed] };
}

/** A record by its number, given as a text or as `{ id }`, or by `{ reference }`. */
function subject(given, place) {
  if (typeof given === "string") {
    return { tag: "id", val: given };
  }
  return check.choice(given, place, {
    id: (id, place) => ({ tag: "id", val: check.text(id, place) }),
    reference: (name, place) => ({ tag: "reference", val: check.text(name, place) }),
  });
}
