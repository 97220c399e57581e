// What a component exports: for each hook the contract's function, which reads the question, asks the
// author's function and writes its answer. Whatever is thrown on the way becomes an error of the contract.

import { toContract } from "../errors.js";
import { HOOKS, authors, then } from "../hooks.js";
import { begin, isCalled } from "./clock.js";
import { log } from "./component.js";

/** What the engine throws where it was refused memory. */
const OUT_OF_MEMORY = "out of memory";

for (const [name, level] of Object.entries({ debug: "debug", log: "info", info: "info", warn: "warn", error: "error" })) {
  console[name] = (...parts) => {
    if (isCalled()) {
      log(level, parts.map(shown).join(" "));
    }
  };
}

/** The interface of a hook, answered by what the plugin exports for it. */
export function component(name, exported) {
  const { export: called, read, write } = HOOKS[name];
  if (typeof exported !== "function") {
    throw new TypeError(`what the plugin exports as \`${called}\` is no function`);
  }
  const answers = authors(exported);
  const answer = (...given) => {
    begin(given[0]);
    try {
      const answered = then(answers(...read.map((read, place) => read(given[place]))), write);
      return typeof answered?.then === "function" ? answered.catch(fail) : answered;
    } catch (error) {
      return fail(error);
    }
  };
  return { [called]: answer };
}

function fail(thrown) {
  if (thrown === OUT_OF_MEMORY) {
    // No answer, but the trap that every language ends in here: so the server knows it for what it is.
    throw new Error(OUT_OF_MEMORY);
  }
  const payload = toContract(thrown);
  if (payload.tag === "internal" && typeof thrown?.stack === "string") {
    log("debug", thrown.stack);
  }
  throw { payload };
}

function shown(part) {
  if (typeof part === "string") {
    return part;
  }
  try {
    return part instanceof Error ? String(part) : (JSON.stringify(part) ?? String(part));
  } catch {
    return String(part);
  }
}
