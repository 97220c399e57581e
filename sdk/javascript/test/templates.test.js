// The templates' own tests, each in a project as `wright plugin new` makes it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { HOOKS } from "../src/hooks.js";

const sdk = fileURLToPath(new URL("..", import.meta.url));
const templates = fileURLToPath(new URL("../../templates/javascript", import.meta.url));

/** Makes a project, and takes it away after the test. */
function project(context, hook) {
  const folder = mkdtempSync(join(tmpdir(), "template-"));
  context.after(() => rmSync(folder, { recursive: true }));
  for (const part of ["shared", hook]) {
    cpSync(join(templates, part), folder, { recursive: true });
  }
  const words = { __NAME__: "quiet-router", __TITLE__: "Quiet router", __TYPE__: "QuietRouter", __HOOK__: hook };
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) {
      const file = join(entry.parentPath, entry.name);
      writeFileSync(
        file,
        readFileSync(file, "utf8").replace(/__[A-Z]+__/g, (word) => words[word]),
      );
    }
  }
  mkdirSync(join(folder, "node_modules/@servicewright"), { recursive: true });
  symlinkSync(sdk, join(folder, "node_modules/@servicewright/sdk"), "junction");
  return folder;
}

test("there is a template for every hook", () => {
  const folders = readdirSync(templates).filter((name) => name !== "shared");
  assert.deepEqual(folders.sort(), Object.keys(HOOKS).sort());
});

for (const hook of Object.keys(HOOKS)) {
  test(`the template for ${hook} passes its own test`, (context) => {
    const folder = project(context, hook);
    const manifest = readFileSync(join(folder, "plugin.yaml"), "utf8");
    assert.ok(manifest.includes(`hooks: { ${hook}: true }`) && manifest.includes("id: quiet-router"), manifest);
    // Run as a test of its own, not as a part of this one.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const said = execFileSync(process.execPath, ["--test", "test/plugin.test.js"], { cwd: folder, env, encoding: "utf8" });
    assert.match(said, /^# pass [1-9]/m);
    assert.match(said, /^# fail 0/m);
  });
}
