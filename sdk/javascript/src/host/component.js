// What the server offers a component: its imports, as the modules beside this folder want them.

import * as businessTime from "servicewright:plugin/business-time";
import * as directory from "servicewright:plugin/directory";
import * as keyValue from "servicewright:plugin/key-value";
import { write } from "servicewright:plugin/log";
import * as signing from "servicewright:plugin/signing";
import { own } from "../check.js";
import { Internal, fromContract } from "../errors.js";
import { record } from "../question.js";
import { fieldsFromContract, instant, integer } from "../value.js";
import { isCalled } from "./clock.js";
import * as outgoing from "./outgoing.js";

/** While the component is built there is no server that could be asked. */
function check() {
  if (!isCalled()) {
    throw new Internal("the server can be asked within a hook, and not while the module is loaded");
  }
}

/** What a look-up answers; what it fails with is thrown as one of the SDK's errors. */
function ask(question) {
  check();
  try {
    return question();
  } catch (error) {
    throw error.payload?.tag === undefined ? error : fromContract(error.payload);
  }
}

const orNull = (value, read) => (value === undefined ? null : read(value));
const same = (value) => value;

export function log(level, message) {
  check();
  write(level, message);
}

export function send(request) {
  check();
  return outgoing.send(request);
}

export function businessAdd(calendar, start, duration) {
  return instant(
    ask(() => businessTime.add(calendar, start, duration)),
    "the end of the span",
  );
}

export function businessBetween(calendar, start, end) {
  return integer(ask(() => businessTime.between(calendar, start, end)));
}

export function user(id) {
  return orNull(
    ask(() => directory.user(id)),
    ({ id, name, manager, organisation, facts }) => {
      return {
        id,
        name,
        manager: orNull(manager, same),
        organisation: orNull(organisation, same),
        facts: fieldsFromContract(facts),
      };
    },
  );
}

export function teams() {
  return ask(() => directory.teams());
}

export function members(team) {
  return ask(() => directory.members(team)).map((member) => {
    return {
      user: member.user,
      skills: member.skills,
      onShift: member.onShift,
      openRecords: member.openRecords,
      lastAssignedAt: orNull(member.lastAssignedAt, (at) => instant(at, "lastAssignedAt")),
      facts: fieldsFromContract(member.facts),
    };
  });
}

export function find(kind, id) {
  return orNull(
    ask(() => directory.find(kind, id)),
    fieldsFromContract,
  );
}

export function linked(id, kind) {
  return ask(() => directory.linked(id, kind)).map(record);
}

export function alike(workflow, fields, since) {
  return ask(() => directory.alike(workflow, fields, since)).map(record);
}

export function referenced(reference) {
  return orNull(
    ask(() => directory.referenced(reference)),
    record,
  );
}

export function kvGet(key) {
  return orNull(
    ask(() => keyValue.get(key)),
    own,
  );
}

export function kvCompareAndSet(key, expected, value) {
  return ask(() => keyValue.compareAndSet(key, expected, value));
}

export function kvKeys(prefix, after) {
  return ask(() => keyValue.keys(prefix, after));
}

export function hmacSha256(secret, message) {
  return own(ask(() => signing.hmacSha256(secret, message)));
}

export function verifyHmacSha256(secret, message, signature) {
  return ask(() => signing.verifyHmacSha256(secret, message, signature));
}

export function isSecret(secret, candidate) {
  return ask(() => signing.isSecret(secret, candidate));
}
