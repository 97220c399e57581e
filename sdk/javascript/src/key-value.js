// What the binding of an integration remembers between calls, apart from all other bindings. What was
// written stays written, even if the call then fails.

import * as host from "#host";
import * as check from "./check.js";
import { Internal, Unavailable } from "./errors.js";

/** How often `update` tries before it gives up: more writers at once than this are not expected. */
const MAX_TRIES = 16;

/** The bytes of a key, or null. */
export function get(key) {
  return host.kvGet(check.text(key, "a key"));
}

/** The text of a key, or null. */
export function getText(key) {
  const bytes = get(key);
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

/** The value of a key that `updateJson` wrote, or null. */
export function getJson(key) {
  return parsed(key, get(key));
}

/** Writes if the key holds `expected` just now, and tells whether it did. `null` means no value. */
export function compareAndSet(key, expected, value) {
  const bytes = (given) => check.optional(given, (given) => check.bytes(given, `the value of \`${key}\``));
  return host.kvCompareAndSet(check.text(key, "a key"), bytes(expected), bytes(value));
}

/**
 * Changes the bytes of a key, whoever else may be changing it: `change` is asked again with the new
 * value where somebody came first. It answers a text, bytes, or null for no value.
 */
export function update(key, change) {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const present = get(key);
    if (compareAndSet(key, present, change(present))) {
      return;
    }
  }
  throw new Unavailable(`others kept changing the key \`${key}\``);
}

/** The same with values that are kept as JSON. */
export function updateJson(key, change) {
  update(key, (present) => {
    const next = change(parsed(key, present));
    return next === undefined || next === null ? null : JSON.stringify(next);
  });
}

/** Keys that begin with `prefix`, sorted, beginning behind `after`, up to 100. */
export function keys(prefix, after = null) {
  return host.kvKeys(check.text(prefix, "a prefix"), check.optionalText(after, "a key"));
}

function parsed(key, bytes) {
  if (bytes === null) {
    return null;
  }
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new Internal(`the key \`${key}\` does not hold JSON: ${error.message}`);
  }
}
