import assert from "node:assert/strict";
import { test } from "node:test";

import { InvalidInput, field, milliseconds } from "@servicewright/sdk";

import { fieldsFromContract, fieldsToContract, valueToContract } from "../src/value.js";

const CASES = [
  [null, { tag: "null" }],
  [true, { tag: "boolean", val: true }],
  [-7, { tag: "integer", val: -7n }],
  [2n ** 60n, { tag: "integer", val: 2n ** 60n }],
  [0.5, { tag: "number", val: 0.5 }],
  ["high", { tag: "text", val: "high" }],
  [new Date("2026-01-05T09:00:00Z"), { tag: "instant", val: 1_767_603_600_000n }],
  [["a", "b"], { tag: "texts", val: ["a", "b"] }],
  [[], { tag: "texts", val: [] }],
  [{ a: [1] }, { tag: "json", val: '{"a":[1]}' }],
  [[1, "a"], { tag: "json", val: '[1,"a"]' }],
];

test("a value comes back as what it went out as", () => {
  for (const [plain, contract] of CASES) {
    assert.deepEqual(valueToContract(plain, "it"), contract);
    assert.deepEqual(fieldsFromContract([{ id: "it", value: contract }]), { it: plain });
  }
  assert.deepEqual(valueToContract(undefined, "it"), { tag: "null" });
  // A whole number that is declared as `number` is one in JavaScript, too.
  assert.deepEqual(fieldsFromContract([{ id: "it", value: { tag: "number", val: 3 } }]), { it: 3 });
});

test("what is no value is refused with its name", () => {
  const circle = {};
  circle.self = circle;
  for (const [value, said] of [
    [Number.NaN, "the fields, `a` must be a finite number, and is NaN"],
    [Number.POSITIVE_INFINITY, "must be a finite number"],
    [2n ** 63n, "is beyond 64 bits"],
    [new Date("never"), "is a Date that is no instant"],
    [() => 1, "must be a value, and is a function"],
    [circle, "cannot be written as JSON"],
  ]) {
    assert.throws(
      () => fieldsToContract({ a: value }, "the fields"),
      (error) => error.kind === "internal" && error.message.includes(said),
      said,
    );
  }
  assert.throws(() => fieldsToContract(["a"], "the fields"), /must be an object of values, and is a list of texts/);
});

test("an instant beyond the calendar is the record's fault", () => {
  const value = { tag: "instant", val: 2n ** 62n };
  assert.throws(() => fieldsFromContract([{ id: "due", value }]), {
    name: "InvalidInput",
    message: "field `due` is an instant that no calendar reaches",
  });
});

test("a field is read as what is wanted", () => {
  const fields = { impact: "high", cost: 12, due: "2026-01-05T10:00:00+01:00", labels: ["a"], major: null };
  assert.equal(field.text(fields, "impact"), "high");
  assert.equal(field.number(fields, "cost"), 12);
  assert.equal(field.boolean(fields, "major", false), false);
  assert.equal(field.text(fields, "constructor", "none"), "none");
  assert.deepEqual(field.instant(fields, "due"), new Date("2026-01-05T09:00:00Z"));
  assert.deepEqual(field.texts(fields, "labels"), ["a"]);
  for (const [read, message] of [
    [() => field.text(fields, "cost"), "field `cost` must be a text, and is an integer"],
    [() => field.text(fields, "cost", "some"), "field `cost` must be a text, and is an integer"],
    [() => field.boolean(fields, "major"), "field `major` must be a boolean, and is empty"],
    [() => field.instant(fields, "impact"), "field `impact` must be an instant, and is a text"],
  ]) {
    assert.throws(read, (error) => error instanceof InvalidInput && error.message === message, message);
  }
});

test("durations are read from ISO 8601", () => {
  assert.equal(milliseconds("PT4H"), 14_400_000);
  assert.equal(milliseconds("P1W"), 604_800_000);
  assert.equal(milliseconds("P1DT1H1M1.5S"), 90_061_500);
  for (const wrong of ["", "P", "PT", "4H", "P1M", "P1Y", "PT1S1H", "PT-1H", "PTH", "P99999999999999W"]) {
    assert.throws(() => milliseconds(wrong), RangeError, wrong);
  }
});
