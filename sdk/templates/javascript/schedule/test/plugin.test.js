import assert from "node:assert/strict";
import { test } from "node:test";

import { Unavailable, commands } from "@servicewright/sdk";
import { Desk, call } from "@servicewright/sdk/testing";

import { run } from "../src/plugin.js";

const settings = { url: "https://lists.example.com/new", workflow: "incident" };

test("each entry becomes a record under its number", () => {
  const desk = new Desk({ respond: () => ({ body: [{ number: 7, summary: "No light" }] }) });
  const expected = commands.create("incident", { summary: "No light" }, { reference: "7" });
  assert.deepEqual(desk.ask(run, call(settings)), [expected]);
});

test("a list that cannot be had is asked for again", () => {
  const desk = new Desk({ respond: () => ({ status: 503 }) });
  assert.throws(() => desk.ask(run, call(settings)), Unavailable);
});
