import assert from "node:assert/strict";
import { test } from "node:test";

import { Desk, approvalRequest, call, record } from "@servicewright/sdk/testing";

import { decide } from "../src/plugin.js";

const settings = { field: "cost", limit: 500, team: "finance" };
const request = approvalRequest("submit");

test("what costs little needs nobody's consent", () => {
  const answer = new Desk().ask(decide, call(settings), record("request", { cost: 120 }), request);
  assert.deepEqual(answer, { approve: "120 is within the limit of 500." });
});

test("what costs much is for the manager and then for the budget", () => {
  const desk = new Desk({ people: [{ id: "ada", manager: "carla" }] });
  const laptop = record("request", { cost: 1800 }, { requester: "ada" });
  const { ask = [] } = desk.ask(decide, call(settings), laptop, request);
  assert.deepEqual(
    ask.map((stage) => stage.approvers),
    [[{ user: "carla" }], [{ team: "finance" }]],
  );
});
