// Why a hook or a look-up gave no answer. Look-ups throw these, and so may a hook; whatever else a
// hook throws counts as `internal`. Whichever it is, the fallback that the definition names applies.

import { span } from "./time.js";

/** How many causes of an error are told. */
const MAX_CAUSES = 8;

/** What all of them have in common. `kind` is the name of the case in the contract. */
export class PluginError extends Error {
  constructor(kind, message, options) {
    super(String(message), options);
    this.name = this.constructor.name;
    this.kind = kind;
  }
}

/** The record or request is not what the plugin can work with; asking again would not help. */
export class InvalidInput extends PluginError {
  constructor(message, options) {
    super("invalid-input", message, options);
  }
}

/** The binding's settings or grants do not fit; asking again would not help. */
export class Misconfigured extends PluginError {
  constructor(message, options) {
    super("misconfigured", message, options);
  }
}

/** Something beyond the plugin gave no answer; asking again may help, `after` so much time. */
export class Unavailable extends PluginError {
  constructor(message, { after, ...options } = {}) {
    super("unavailable", message, options);
    /** Milliseconds, or null where that is not known. */
    this.after = after === undefined || after === null ? null : span(after, "`after`");
  }
}

/** The plugin itself went wrong. */
export class Internal extends PluginError {
  constructor(message, options) {
    super("internal", message, options);
  }
}

/** What was thrown, as the contract has it. */
export function toContract(thrown) {
  if (!(thrown instanceof PluginError)) {
    return { tag: "internal", val: told(thrown) };
  }
  if (thrown instanceof Unavailable) {
    const after = thrown.after === null ? undefined : BigInt(thrown.after);
    return { tag: "unavailable", val: { message: thrown.message, after } };
  }
  return { tag: thrown.kind, val: thrown.message };
}

/** What an import failed with, as one of these. */
export function fromContract({ tag, val }) {
  switch (tag) {
    case "invalid-input":
      return new InvalidInput(val);
    case "misconfigured":
      return new Misconfigured(val);
    case "unavailable":
      return new Unavailable(val.message, { after: val.after === undefined ? null : Number(val.after) });
    default:
      return new Internal(val);
  }
}

/** An error and what caused it, in one line. */
function told(thrown) {
  const parts = [];
  for (let error = thrown; error !== undefined && parts.length < MAX_CAUSES; error = error?.cause) {
    parts.push(isError(error) ? `${error.name}: ${error.message}` : `it threw ${printed(error)}`);
  }
  return parts.length > 0 ? parts.join(": ") : "it threw undefined";
}

/** Whether it is an error, of whichever realm. */
function isError(thrown) {
  return Object.prototype.toString.call(thrown) === "[object Error]";
}

function printed(value) {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return "something that cannot be shown";
  }
}
