import assert from "node:assert/strict";
import { test } from "node:test";

import { Unavailable } from "@servicewright/sdk";
import { Desk, call } from "@servicewright/sdk/testing";

import { run } from "../src/plugin.js";

const settings = { url: "https://lists.example.com/new", workflow: "incident" };

test("each entry becomes a record under its number", () => {
  const desk = new Desk({ respond: () => ({ body: [{ number: 7, summary: "No light" }] }) });
  const [command] = desk.ask(run, call(settings));
  assert.equal(command.workflow, "incident");
  assert.equal(command.reference, "7");
  assert.deepEqual(command.fields, { summary: "No light" });
});

test("a list that cannot be had is asked for again", () => {
  const desk = new Desk({ respond: () => ({ status: 503 }) });
  assert.throws(() => desk.ask(run, call(settings)), Unavailable);
});
