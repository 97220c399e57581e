// Holds an answer to the contract before it is handed over, and says what is wrong where: what does
// not fit would otherwise end the call without a word.

import { Internal } from "./errors.js";
import { isInstant, span } from "./time.js";
import { kind } from "./value.js";

const COUNT_MAX = 4_294_967_295;

/** Says that something is not as it has to be. */
export function wrong(place, wanted, given) {
  return new Internal(`${place} must be ${wanted}, and is ${kind(given)}`);
}

/** An object with no entries but these. */
export function object(given, place, known) {
  if (typeof given !== "object" || given === null || Array.isArray(given) || isInstant(given)) {
    throw wrong(place, "an object", given);
  }
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new Internal(`${place} has \`${unknown}\`, which there is not; it may have ${known.join(", ")}`);
  }
  return given;
}

export function text(given, place) {
  if (typeof given !== "string") {
    throw wrong(place, "a text", given);
  }
  return given;
}

/** A text, or nothing. */
export function optionalText(given, place) {
  return optional(given, (present) => text(present, place));
}

export function flag(given, place) {
  if (typeof given !== "boolean") {
    throw wrong(place, "true or false", given);
  }
  return given;
}

/** A whole number from 0. */
export function count(given, place, max = COUNT_MAX) {
  if (!Number.isInteger(given) || given < 0 || given > max) {
    throw wrong(place, `a whole number from 0 to ${max}`, given);
  }
  return given;
}

export function list(given, place, each) {
  if (!Array.isArray(given)) {
    throw wrong(place, "a list", given);
  }
  return given.map((item, index) => each(item, `${place}[${index}]`));
}

export function instant(given, place) {
  if (!isInstant(given)) {
    throw wrong(place, "a Date", given);
  }
  return BigInt(given.getTime());
}

/** Milliseconds, given as such or in ISO 8601. */
export function duration(given, place) {
  try {
    return BigInt(span(given, place));
  } catch (error) {
    throw new Internal(error.message);
  }
}

/** Bytes; a text is taken as UTF-8. */
export function bytes(given, place) {
  if (isBytes(given)) {
    return own(given);
  }
  if (typeof given === "string") {
    return new TextEncoder().encode(given);
  }
  throw wrong(place, "a text or a Uint8Array", given);
}

/** Whether it is a `Uint8Array`: what the server hands over is one of another realm, which `instanceof` misses. */
export function isBytes(given) {
  return Object.prototype.toString.call(given) === "[object Uint8Array]";
}

/** The same bytes as an array of this realm. */
export function own(bytes) {
  return bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What stands for something that may be missing. */
export function optional(given, convert) {
  return given === undefined || given === null ? undefined : convert(given);
}

/** The one of these entries that an object has. */
export function choice(given, place, cases) {
  const names = Object.keys(cases);
  object(given, place, names);
  const chosen = names.filter((name) => given[name] !== undefined);
  if (chosen.length !== 1) {
    throw new Internal(`${place} must have one of ${names.join(", ")}, and has ${chosen.join(", ") || "none"}`);
  }
  return cases[chosen[0]](given[chosen[0]], `${place}.${chosen[0]}`);
}
