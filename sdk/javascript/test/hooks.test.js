import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Internal,
  InvalidInput,
  Misconfigured,
  Unavailable,
  approval,
  commands,
  delivery,
  routing,
  serviceLevel,
  webhook,
} from "@servicewright/sdk";
import { call, record } from "@servicewright/sdk/testing";

import * as answer from "../src/answer.js";
import { fromContract, toContract } from "../src/errors.js";
import * as question from "../src/question.js";

const refused = (message) => (error) => {
  assert.ok(error instanceof Internal, String(error));
  assert.equal(error.message, message);
  return true;
};

test("an answer that does not fit is named before it leaves", () => {
  const route = (given) => () => routing(() => given)(call(), record("incident"));
  assert.throws(route(undefined), refused("the answer must be an object, and is missing"));
  assert.throws(route({ reason: "x" }), refused("the answer's `team` must be a text, and is missing"));
  assert.throws(
    route({ team: "desk", asignee: "ada", reason: "x" }),
    refused("the answer has `asignee`, which there is not; it may have team, assignee, reason"),
  );
  const decide = (given) => () => approval(() => given)(call(), record("change"), {});
  assert.throws(decide({}), refused("the answer must have one of approve, reject, ask, and has none"));
  const stage = { id: "cab", approvers: [{ team: "cab" }], reason: "x" };
  assert.throws(
    decide({ ask: [stage, { ...stage, quorum: { count: -1 } }] }),
    refused("the answer.ask[1].quorum.count must be a whole number from 0 to 4294967295, and is an integer"),
  );
  assert.throws(
    decide({ ask: [{ ...stage, timeout: "2 days" }] }),
    refused("the answer.ask[0].timeout: `2 days` is not a duration such as PT4H or P2D"),
  );
  assert.throws(
    () => serviceLevel(() => [{ id: "resolution", reason: "x" }])(call(), record("incident"), {}),
    refused("the answer[0] must have `within`, perhaps with `calendar`, or else `dueAt`"),
  );
  assert.throws(
    () => delivery(() => ["comment"])(call(), {}),
    refused("the answer[0] must be a command; the functions of `commands` make one"),
  );
  assert.throws(
    () => webhook(() => ({ status: "ok" }))(call(), {}),
    refused("the answer's `status` must be a whole number from 0 to 599, and is a text"),
  );
});

test("a promised answer is held to the contract too", async () => {
  const route = routing(async () => ({ team: 7, reason: "x" }));
  await assert.rejects(route(call(), record("incident")), refused("the answer's `team` must be a text, and is an integer"));
});

test("answers have the contract's shape", () => {
  assert.deepEqual(answer.verdict({ approve: "It is small." }), { tag: "approve", val: "It is small." });
  assert.deepEqual(
    answer.verdict({
      ask: [
        {
          id: "cab",
          approvers: [{ team: "cab" }, { user: "ada" }],
          quorum: { percent: 50 },
          timeout: { duration: "P2D", calendar: "office" },
          reason: "x",
        },
      ],
    }),
    {
      tag: "ask",
      val: [
        {
          id: "cab",
          approvers: [
            { tag: "team", val: "cab" },
            { tag: "user", val: "ada" },
          ],
          quorum: { tag: "percent", val: 50 },
          timeout: { duration: 172_800_000n, calendar: "office" },
          reason: "x",
        },
      ],
    },
  );
  assert.deepEqual(answer.targets([{ id: "resolution", dueAt: new Date(5), reason: "x" }]), [
    { id: "resolution", goal: { tag: "due-at", val: 5n }, warnAtPercent: [], reason: "x" },
  ]);
  const { response } = answer.reply({ status: 200, headers: { "X-Seen": "1" }, body: { a: 1 } });
  assert.deepEqual(response.headers, [
    ["x-seen", "1"],
    ["content-type", "application/json"],
  ]);
  assert.equal(new TextDecoder().decode(response.body), '{"a":1}');
});

test("each command has its shape", () => {
  const alert = { reference: "alert-17" };
  const given = [
    commands.create("incident", { summary: "Disk full" }, { reference: "alert-17" }),
    commands.transition("INC-1", "start", { note: null }, { onBehalfOf: "ada" }),
    commands.update(alert, { impact: "high" }),
    commands.assign(alert, { team: "desk" }),
    commands.vote(alert, { approves: true }),
    commands.comment(alert, "Seen", { public: true }),
    commands.link(alert, "caused-by", { id: "CHG-1" }),
    commands.refer("INC-1", "T-9"),
  ];
  const written = answer.commands(given);
  const reference = { tag: "reference", val: "alert-17" };
  assert.deepEqual(written[0], {
    onBehalfOf: undefined,
    action: {
      tag: "create",
      val: {
        workflow: "incident",
        fields: [{ id: "summary", value: { tag: "text", val: "Disk full" } }],
        reference: "alert-17",
      },
    },
  });
  assert.equal(written[1].onBehalfOf, "ada");
  assert.deepEqual(
    written.slice(1).map(({ action }) => action.val),
    [
      [{ tag: "id", val: "INC-1" }, { tag: "transition", val: { name: "start", input: [{ id: "note", value: { tag: "null" } }] } }],
      [reference, { tag: "update", val: [{ id: "impact", value: { tag: "text", val: "high" } }] }],
      [reference, { tag: "assign", val: { team: "desk", assignee: undefined } }],
      [reference, { tag: "vote", val: { approves: true, reason: undefined } }],
      [reference, { tag: "comment", val: { text: "Seen", public: true } }],
      [reference, { tag: "link", val: { kind: "caused-by", target: { tag: "id", val: "CHG-1" } } }],
      [{ tag: "id", val: "INC-1" }, { tag: "refer", val: "T-9" }],
    ],
  );
});

test("errors cross the border and come back the same", () => {
  for (const [error, contract] of [
    [new InvalidInput("a"), { tag: "invalid-input", val: "a" }],
    [new Misconfigured("b"), { tag: "misconfigured", val: "b" }],
    [new Unavailable("c"), { tag: "unavailable", val: { message: "c", after: undefined } }],
    [new Unavailable("d", { after: "PT1M" }), { tag: "unavailable", val: { message: "d", after: 60_000n } }],
    [new Internal("e"), { tag: "internal", val: "e" }],
  ]) {
    assert.deepEqual(toContract(error), contract);
    const back = fromContract(contract);
    assert.equal(back.constructor, error.constructor);
    assert.deepEqual(toContract(back), contract);
  }
});

test("whatever else is thrown is internal, with what caused it", () => {
  const cause = new RangeError("too far");
  assert.deepEqual(toContract(new Error("no route", { cause })), {
    tag: "internal",
    val: "Error: no route: RangeError: too far",
  });
  assert.equal(toContract("oops").val, 'it threw "oops"');
  assert.equal(toContract(undefined).val, "it threw undefined");
  const loop = new Error("round");
  loop.cause = loop;
  assert.equal(toContract(loop).val.split("round").length, 9);
});

test("a question reads like JavaScript", () => {
  const asked = question.call({
    id: "c",
    attempt: 1,
    now: 5n,
    seed: 9n,
    actor: "timer",
    settings: '{"team":"desk"}',
    facts: [],
  });
  assert.equal(asked.settings.team, "desk");
  assert.deepEqual(asked.now, new Date(5));
  const view = question.record({
    workflow: "incident",
    state: "new",
    category: "open",
    version: 3n,
    openedAt: 1n,
    updatedAt: 2n,
    stateSince: 3n,
    fields: [{ id: "impact", value: { tag: "text", val: "high" } }],
    facts: [],
  });
  assert.deepEqual([view.id, view.assignee, view.version, view.fields], [null, null, 3, { impact: "high" }]);
  const request = question.httpRequest({
    method: "POST",
    path: "/",
    headers: [["x-a", "1"]],
    body: new TextEncoder().encode("{"),
  });
  assert.equal(request.header("X-A"), "1");
  assert.throws(() => request.json(), { name: "InvalidInput" });
});
