// What the server's side of a plugin's imports is in a test: the desk that asks at present.

import { AsyncLocalStorage } from "node:async_hooks";
import { createHmac, timingSafeEqual } from "node:crypto";
import { isDeepStrictEqual } from "node:util";

import { InvalidInput, Misconfigured } from "../errors.js";
import { valueToContract } from "../value.js";

/** As many as a server lists in one answer. */
const LIST_LIMIT = 100;

/** Holds the desk that a hook is asked by. */
export const present = new AsyncLocalStorage();

const NOTHING = {
  people: new Map(),
  teams: new Map(),
  things: new Map(),
  records: [],
  links: new Map(),
  calendars: new Map(),
  secrets: new Map(),
  keyValues: new Map(),
  respond: null,
};

/** The desk, or one that knows nothing and forgets everything. */
function desk() {
  return present.getStore() ?? { ...NOTHING, keyValues: new Map(), logged: [], sent: [] };
}

export function log(level, message) {
  desk().logged.push({ level, message });
}

function spans(calendar) {
  const spans = desk().calendars.get(calendar);
  if (spans === undefined) {
    throw new Misconfigured(`there is no calendar \`${calendar}\``);
  }
  return spans;
}

export function businessAdd(calendar, start, duration) {
  let left = Number(duration);
  for (const [opens, closes] of spans(calendar)) {
    const from = Math.max(opens, Number(start));
    if (closes > from && closes - from >= left) {
      return new Date(from + left);
    }
    left -= Math.max(closes - from, 0);
  }
  throw new InvalidInput(`the calendar \`${calendar}\` has no business time left`);
}

export function businessBetween(calendar, start, end) {
  const within = ([opens, closes]) => Math.min(closes, Number(end)) - Math.max(opens, Number(start));
  return spans(calendar).reduce((sum, span) => sum + Math.max(within(span), 0), 0);
}

export function user(id) {
  return structuredClone(desk().people.get(id) ?? null);
}

export function teams() {
  return [...desk().teams.keys()].sort();
}

export function members(team) {
  return structuredClone(desk().teams.get(team) ?? []);
}

export function find(kind, id) {
  return structuredClone(desk().things.get(kind)?.get(id) ?? null);
}

export function linked(id, kind) {
  const { links, records } = desk();
  const targets = links.get(id)?.[kind] ?? [];
  return structuredClone(records.filter((record) => targets.includes(record.id)));
}

export function alike(workflow, fields, since) {
  const fits = (record) =>
    record.workflow === workflow &&
    record.updatedAt.getTime() >= Number(since) &&
    fields.every(({ id, value }) => isDeepStrictEqual(valueToContract(record.fields[id], id), value));
  const found = desk().records.filter(fits);
  found.sort((one, other) => other.updatedAt - one.updatedAt);
  return structuredClone(found.slice(0, LIST_LIMIT));
}

export function referenced(reference) {
  const { references, records } = desk();
  const found = records.find((record) => record.id === references.get(reference));
  return found === undefined ? null : structuredClone(found);
}

export function kvGet(key) {
  return desk().keyValues.get(key)?.slice() ?? null;
}

export function kvCompareAndSet(key, expected, value) {
  const { keyValues } = desk();
  const held = keyValues.get(key);
  const same = held === undefined || expected === undefined ? held === expected : Buffer.from(held).equals(expected);
  if (!same) {
    return false;
  }
  if (value === undefined) {
    keyValues.delete(key);
  } else {
    keyValues.set(key, Uint8Array.from(value));
  }
  return true;
}

export function kvKeys(prefix, after) {
  const keys = [...desk().keyValues.keys()].sort();
  return keys.filter((key) => key.startsWith(prefix) && (after === undefined || key > after)).slice(0, LIST_LIMIT);
}

export function hmacSha256(secret, message) {
  const key = desk().secrets.get(secret);
  if (key === undefined) {
    throw new Misconfigured(`the secret \`${secret}\` was not granted`);
  }
  return Uint8Array.from(createHmac("sha256", key).update(message).digest());
}

export function verifyHmacSha256(secret, message, signature) {
  const expected = hmacSha256(secret, message);
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}

export function isSecret(secret, candidate) {
  const key = desk().secrets.get(secret);
  if (key === undefined) {
    throw new Misconfigured(`the secret \`${secret}\` was not granted`);
  }
  const expected = new TextEncoder().encode(key);
  return expected.length > 0 && candidate.length === expected.length && timingSafeEqual(candidate, expected);
}

export function send(request) {
  const { sent, respond } = desk();
  sent.push(request);
  if (respond === null) {
    throw new Misconfigured("no host was granted");
  }
  return respond(request);
}
