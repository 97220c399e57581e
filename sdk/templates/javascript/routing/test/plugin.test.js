import assert from "node:assert/strict";
import { test } from "node:test";

import { Desk, call, record } from "@servicewright/sdk/testing";

import { route } from "../src/plugin.js";

test("work goes to who has the least", () => {
  const desk = new Desk({
    teams: {
      desk: [
        { user: "ada", openRecords: 7 },
        { user: "ben", openRecords: 2 },
        { user: "carla", openRecords: 0, onShift: false },
      ],
    },
  });
  const answer = desk.ask(route, call({ team: "desk" }), record("incident"));
  assert.equal(answer.assignee, "ben");
  assert.equal(answer.reason, "ben has 2 open.");
});

test("without anybody at work it waits for the team", () => {
  const answer = new Desk().ask(route, call({ team: "desk" }), record("incident"));
  assert.equal(answer.team, "desk");
  assert.equal(answer.assignee, undefined);
});
