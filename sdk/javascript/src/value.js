// Values of fields: what each case of the contract is in JavaScript, and back.

import { Internal, InvalidInput } from "./errors.js";
import { isInstant } from "./time.js";

/** The most milliseconds before or after 1970 that a `Date` can hold. */
const DATE_RANGE = 8_640_000_000_000_000n;
const INTEGERS = [-(2n ** 63n), 2n ** 63n - 1n];

/** The fields of a record or the like, as an object of plain values. */
export function fieldsFromContract(fields) {
  return Object.fromEntries(fields.map(({ id, value }) => [id, valueFromContract(value, id)]));
}

/** An object of plain values, as a list of fields. `place` says in messages where it stands. */
export function fieldsToContract(values, place) {
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new Internal(`${place} must be an object of values, and is ${kind(values)}`);
  }
  return Object.entries(values).map(([id, value]) => ({ id, value: valueToContract(value, `${place}, \`${id}\``) }));
}

/** A plain value: an integer beyond what a number holds exactly is a `bigint`. */
export function valueFromContract({ tag, val }, id) {
  switch (tag) {
    case "null":
      return null;
    case "integer":
      return integer(val);
    case "instant":
      return instant(val, `field \`${id}\``);
    case "json":
      return JSON.parse(val);
    default:
      return val;
  }
}

/** The case of the contract that a plain value is; `undefined` is an empty value like `null`. */
export function valueToContract(value, place) {
  switch (typeof value) {
    case "undefined":
      return { tag: "null" };
    case "boolean":
      return { tag: "boolean", val: value };
    case "string":
      return { tag: "text", val: value };
    case "bigint":
      if (value < INTEGERS[0] || value > INTEGERS[1]) {
        throw new Internal(`${place} is beyond 64 bits`);
      }
      return { tag: "integer", val: value };
    case "number":
      return number(value, place);
    case "object":
      return thing(value, place);
    default:
      throw new Internal(`${place} must be a value, and is ${kind(value)}`);
  }
}

/** A number where it is exact, and a `bigint` where it is not. */
export function integer(big) {
  const number = Number(big);
  return Number.isSafeInteger(number) ? number : big;
}

/** The `Date` of milliseconds since 1970. */
export function instant(millis, place) {
  if (millis > DATE_RANGE || millis < -DATE_RANGE) {
    throw new InvalidInput(`${place} is an instant that no calendar reaches`);
  }
  return new Date(Number(millis));
}

/** What a value is, in words, for messages. */
export function kind(value) {
  if (value === undefined) return "missing";
  if (value === null) return "empty";
  if (Array.isArray(value)) return value.every((item) => typeof item === "string") ? "a list of texts" : "a list";
  if (value instanceof Date) return isInstant(value) ? "an instant" : "a date that is none";
  if (typeof value === "string") return "a text";
  if (typeof value === "object") return "an object";
  if (Number.isInteger(value) || typeof value === "bigint") return "an integer";
  return `a ${typeof value}`;
}

function number(value, place) {
  if (Number.isSafeInteger(value)) {
    return { tag: "integer", val: BigInt(value) };
  }
  if (!Number.isFinite(value)) {
    throw new Internal(`${place} must be a finite number, and is ${value}`);
  }
  return { tag: "number", val: value };
}

function thing(value, place) {
  if (value === null) {
    return { tag: "null" };
  }
  if (value instanceof Date) {
    if (!isInstant(value)) {
      throw new Internal(`${place} is a Date that is no instant`);
    }
    return { tag: "instant", val: BigInt(value.getTime()) };
  }
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return { tag: "texts", val: value };
  }
  try {
    return { tag: "json", val: JSON.stringify(value) ?? "null" };
  } catch (error) {
    throw new Internal(`${place} cannot be written as JSON: ${error.message}`);
  }
}
