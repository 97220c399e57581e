import assert from "node:assert/strict";
import { test } from "node:test";

import { Unavailable } from "@servicewright/sdk";
import { Desk, call, event, record } from "@servicewright/sdk/testing";

import { deliver } from "../src/plugin.js";

const settings = { url: "https://chat.example.com/room" };
const created = event(
  "servicewright.record.created",
  record("incident", { summary: "No network" }, { id: "INC-7" }),
);

test("an event becomes a message", () => {
  const desk = new Desk({ respond: () => ({ status: 200 }) });
  assert.deepEqual(desk.ask(deliver, call(settings), created), []);
  const [sent] = desk.sent;
  assert.equal(sent.url, settings.url);
  assert.equal(new TextDecoder().decode(sent.body), '{"text":"INC-7 created: No network"}');
});

test("a room that is busy is told later", () => {
  const desk = new Desk({ respond: () => ({ status: 429, headers: { "retry-after": "30" } }) });
  assert.throws(
    () => desk.ask(deliver, call(settings), created),
    (error) => error instanceof Unavailable && error.after === 30_000,
  );
});
