import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";

import { Desk, call, httpRequest } from "@servicewright/sdk/testing";

import { receive } from "../src/plugin.js";

const settings = { secret: "alerts", workflow: "incident" };
const desk = new Desk({ secrets: { alerts: "a shared secret" } });
const alert = JSON.stringify({ id: "alert-17", summary: "Disk full" });

function sent(body, secret) {
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  return httpRequest(body, { headers: { "x-signature": `sha256=${signature}`, "x-delivery": "1" } });
}

test("a signed alert becomes a record under its own name", () => {
  const reply = desk.ask(receive, call(settings), sent(alert, "a shared secret"));
  assert.equal(reply.status, 200);
  assert.equal(reply.delivery, "1");
  const [command] = reply.commands ?? [];
  assert.equal(command.action, "create");
  assert.equal(command.reference, "alert-17");
});

test("what a stranger sends changes nothing", () => {
  for (const request of [sent(alert, "a guess"), httpRequest(alert)]) {
    const reply = desk.ask(receive, call(settings), request);
    assert.equal(reply.status, 401);
    assert.equal(reply.commands, undefined);
  }
});
