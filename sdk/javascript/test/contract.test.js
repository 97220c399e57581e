// Holds the SDK to the contract in wit/v1: what is added there and not here is found out.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as sdk from "@servicewright/sdk";

import { HOOKS } from "../src/hooks.js";

const contract = readFileSync(new URL("../../../wit/v1/plugin.wit", import.meta.url), "utf8").replace(/\/\/.*$/gm, "");
const types = readFileSync(new URL("../types/index.d.ts", import.meta.url), "utf8");
const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

/** The text between the braces that follow this, up to the closing one of the same depth. */
function inner(text, from) {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "{") depth += 1;
    if (text[at] === "}" && --depth === 0) return text.slice(text.indexOf("{", from) + 1, at);
  }
  throw new Error("unbalanced");
}

const interfaces = new Map(
  Array.from(contract.matchAll(/^interface ([a-z-]+) /gm), (found) => [found[1], inner(contract, found.index)]),
);
const functions = (name) => Array.from(interfaces.get(name).matchAll(/([a-z0-9-]+): func/g), ([, name]) => camel(name));

test("the version is of the contract's line", () => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const [, major] = /^package servicewright:plugin@(\d+)\./m.exec(contract);
  assert.equal(version.split(".")[0], major);
});

test("every import of the contract has its function", () => {
  for (const name of ["directory", "business-time", "key-value", "signing"]) {
    for (const called of functions(name)) {
      assert.equal(typeof sdk[camel(name)][called], "function", `${name}.${called}`);
    }
  }
});

test("every hook of the contract has its function", () => {
  const imports = ["types", "commands", "log", "business-time", "directory", "key-value", "signing"];
  const hooks = [...interfaces.keys()].filter((name) => !imports.includes(name));
  assert.deepEqual(hooks.sort(), Object.keys(HOOKS).sort());
  for (const hook of hooks) {
    assert.deepEqual(functions(hook), [HOOKS[hook].export]);
    assert.equal(typeof sdk[camel(hook)], "function", hook);
  }
});

test("every entry of a record of the contract has its type", () => {
  // What has another shape in JavaScript, and where it is told.
  const elsewhere = ["field", "retry", "request", "reply", "http-request", "http-response", "target"];
  const renamed = { call: "Call<", "record-view": "RecordView ", event: "Event ", member: "Member ", person: "Person " };
  const entries = { subject: "record" };
  const whole = [...interfaces].filter(([name]) => name !== "commands");
  for (const [, body] of whole) {
    for (const found of body.matchAll(/record ([a-z-]+) \{/g)) {
      const name = found[1];
      if (elsewhere.includes(name)) continue;
      const type = renamed[name] ?? `${name[0].toUpperCase()}${camel(name).slice(1)} `;
      const declared = types.indexOf(`export interface ${type}`);
      assert.notEqual(declared, -1, `${name} has no type`);
      const written = inner(types, declared);
      for (const [, entry] of inner(body, found.index).matchAll(/([a-z-]+):/g)) {
        const property = entries[entry] ?? camel(entry);
        assert.match(written, new RegExp(`\\b${property}\\??:`), `${name} has \`${entry}\``);
      }
    }
  }
});

test("every kind of command of the contract can be given", () => {
  const [, cases] = /variant change \{([^}]*)\}/.exec(interfaces.get("commands"));
  const names = Array.from(cases.matchAll(/([a-z-]+)\(/g), ([, name]) => camel(name));
  assert.deepEqual(["create", ...names].sort(), Object.keys(sdk.commands).sort());
});
