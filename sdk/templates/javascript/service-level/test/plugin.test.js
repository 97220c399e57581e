import assert from "node:assert/strict";
import { test } from "node:test";

import { agreement, call, record } from "@servicewright/sdk/testing";

import { targets } from "../src/plugin.js";

const settings = { field: "impact", within: { high: "PT4H" }, otherwise: "P3D" };
const asked = agreement("standard", ["resolution"], "business-hours");

test("the field decides", () => {
  const [target] = targets(call(settings), record("incident", { impact: "high" }), asked);
  assert.equal(target.id, "resolution");
  assert.equal(target.within, "PT4H");
  assert.equal(target.calendar, "business-hours");
});

test("an empty field has the time of all others", () => {
  const [target] = targets(call(settings), record("incident"), asked);
  assert.equal(target.within, "P3D");
});
