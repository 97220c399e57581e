#!/usr/bin/env node
// Makes a component of a plugin: bundles what its package.json names as `main` with the SDK, and puts
// that with a JavaScript engine into WebAssembly. `wright plugin build` runs it in the plugin's folder:
//
//     servicewright-componentize --world FOLDER --out FILE

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { componentize } from "@bytecodealliance/componentize-js";
import { build, formatMessages } from "esbuild";

import { HOOKS } from "../src/hooks.js";

const CONDITION = "servicewright-component";
/** What the engine would import of WASI by itself. A plugin has what its world names, and no more. */
const ENGINES_OWN = ["stdio", "random", "clocks", "fetch-event"];
/** The capability that puts an interface into the world of a plugin. */
const CAPABILITIES = {
  "servicewright:plugin/directory": "directory: { team: true }",
  "servicewright:plugin/key-value": "key-value: true",
  "servicewright:plugin/signing": "signing: true",
  "wasi:http/outgoing-handler": "http: true",
  "wasi:http/types": "http: true",
};
/** What the SDK uses of interfaces that are not the contract's own. */
const OF_WASI = {
  "wasi:http/outgoing-handler": ["handle"],
  "wasi:http/types": ["Fields", "OutgoingBody", "OutgoingRequest", "RequestOptions"],
};

/** Something for the author to put right: told without a trace. */
class Refusal extends Error {}

async function main() {
  const { values } = parseArgs({ options: { world: { type: "string" }, out: { type: "string" } } });
  if (values.world === undefined || values.out === undefined) {
    throw new Refusal("usage: servicewright-componentize --world FOLDER --out FILE");
  }
  const world = await readWorld(values.world);
  const entry = await readEntry();
  const folder = await mkdtemp(join(tmpdir(), "servicewright-"));
  try {
    const bundle = join(folder, "plugin.js");
    await writeFile(bundle, await bundled(entry, world));
    await writeFile(values.out, await made(bundle, resolve(values.world), world));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The component. What a module does at once is done here, and what it throws ends it. */
async function made(sourcePath, witPath, { imports }) {
  // Without the engine's own part in HTTP, nothing of `wasi:http` would get through to the server.
  const disableFeatures = imports.has("wasi:http/types") ? ENGINES_OWN : [...ENGINES_OWN, "http"];
  try {
    const { component } = await componentize({ sourcePath, witPath, worldName: "plugin", disableFeatures });
    return component;
  } catch (error) {
    const message = error.message.replace(/^Failed to initialize component .*:\n/, "");
    throw new Refusal(`the plugin cannot be loaded: ${message}`);
  }
}

/** The hooks that a world exports, and the whole names of the interfaces in reach, by name without version. */
async function readWorld(folder) {
  const text = await readFile(join(folder, "world.wit"), "utf8");
  const names = (what) => Array.from(text.matchAll(new RegExp(`^\\s*${what} ([^;]+);`, "gm")), ([, name]) => name);
  const bare = (name) => name.replace(/@.*$/, "");
  const imports = new Map(names("import").map((name) => [bare(name), name]));
  const outgoing = imports.get("wasi:http/outgoing-handler");
  if (outgoing !== undefined) {
    imports.set("wasi:http/types", outgoing.replace("outgoing-handler", "types"));
  }
  const whole = await readFile(join(folder, "deps", "servicewright-plugin.wit"), "utf8");
  return {
    hooks: names("export").map((name) => bare(name).split("/")[1]),
    imports,
    functions: (path) => functions(whole, path.split("/")[1]),
  };
}

/** The functions of an interface of the contract, as JavaScript calls them. */
function functions(contract, name) {
  const [, inner = ""] = new RegExp(`^interface ${name} \\{([^]*?)^\\}`, "m").exec(contract) ?? [];
  return Array.from(inner.matchAll(/^\s+([a-z0-9-]+): func/gm), ([, name]) => camel(name));
}

const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

async function readEntry() {
  const { main } = JSON.parse(await readFile("package.json", "utf8"));
  if (typeof main !== "string") {
    throw new Refusal('the package.json does not say where the plugin begins: add "main": "src/plugin.js"');
  }
  return { file: resolve(main), main };
}

/** One module with all that the plugin needs, which exports one interface per hook. */
async function bundled(entry, world) {
  const lines = world.hooks.flatMap((hook) => {
    const name = HOOKS[hook].export;
    const exported = JSON.stringify(camel(hook));
    return [
      `import { ${name} } from ${JSON.stringify(entry.file)};`,
      `const ${name}Hook = component(${JSON.stringify(hook)}, ${name});`,
      `export { ${name}Hook as ${exported} };`,
    ];
  });
  const contents = ['import { component } from "@servicewright/sdk/component";', ...lines].join("\n");
  try {
    const { outputFiles, warnings } = await build({
      stdin: { contents, resolveDir: process.cwd(), sourcefile: "the component" },
      bundle: true,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      conditions: [CONDITION, "import"],
      target: "es2022",
      write: false,
      logLevel: "silent",
      plugins: [contract(world)],
    });
    for (const warning of await formatMessages(warnings, { kind: "warning" })) {
      console.error(warning);
    }
    return outputFiles[0].contents;
  } catch (error) {
    if (error.errors === undefined) {
      throw error;
    }
    throw new Refusal(explained(error.errors, entry, world.hooks));
  }
}

/** Leaves what the world has to the component; what it has not fails where it is used, and says why. */
function contract({ imports, functions }) {
  const filter = /^(servicewright:plugin|wasi:http)\//;
  return {
    name: "contract",
    setup(bundle) {
      bundle.onResolve({ filter }, ({ path }) => {
        const whole = imports.get(path);
        return whole === undefined
          ? { path, namespace: "not-asked-for", sideEffects: false }
          : { path: whole, external: true, sideEffects: false };
      });
      bundle.onLoad({ filter: /.*/, namespace: "not-asked-for" }, ({ path }) => {
        const asked = CAPABILITIES[path] ?? `${path}: true`;
        const message = `the plugin.yaml does not ask for it: add \`capabilities: { ${asked} }\``;
        const names = OF_WASI[path] ?? functions(path);
        return {
          contents: `
            import { Misconfigured } from "@servicewright/sdk";
            const fail = () => { throw new Misconfigured(${JSON.stringify(message)}); };
            const missing = new Proxy(fail, { construct: fail, get: fail });
            export { ${names.map((name) => `missing as ${name}`).join(", ")} };`,
          resolveDir: process.cwd(),
        };
      });
    },
  };
}

/** Bundling errors, and what the entry has to export where that is what is wrong. */
function explained(errors, { main }, hooks) {
  const lines = errors.map(({ location, text }) => {
    const place = location === null || location.file === "the component" ? "" : `${location.file}:${location.line}: `;
    return `${place}${text}`;
  });
  if (errors.some(({ text }) => text.startsWith("No matching export"))) {
    const wanted = hooks.map((hook) => `${HOOKS[hook].export} (${hook})`);
    lines.push(`the plugin.yaml says that ${main} exports: ${wanted.join(", ")}`);
  }
  return lines.join("\n");
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Refusal ? error.message : error);
  process.exitCode = 1;
}
