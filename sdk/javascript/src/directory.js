// Looks up people, teams and whatever else the desk keeps, as far as the binding was granted it. A
// look-up sees the desk as it is when it is made. What was not granted is `Misconfigured`.

import * as host from "#host";
import * as check from "./check.js";
import { fieldsToContract } from "./value.js";

/** The person of this id, or null. Needs `user` granted. */
export function user(id) {
  return host.user(check.text(id, "the id of a person"));
}

/** The ids of all teams. Needs `team` granted. */
export function teams() {
  return host.teams();
}

/** Everybody in a team; nobody where there is no such team. Needs `team` granted. */
export function members(team) {
  return host.members(check.text(team, "the id of a team"));
}

/** The fields of whatever else the desk keeps, or null: an `organisation`, a `service`. Needs that kind granted. */
export function find(kind, id) {
  return host.find(check.text(kind, "a kind of thing"), check.text(id, `the id of a ${kind}`));
}

/** The records that the links of this kind lead to. Needs `record` granted. */
export function linked(id, kind) {
  return host.linked(check.text(id, "the id of a record"), check.text(kind, "a kind of link"));
}

/**
 * Records of a workflow that hold exactly these values and changed since then, the latest first, up
 * to 100. Needs `record` granted.
 */
export function alike(workflow, fields, since) {
  const wanted = fieldsToContract(fields, "the fields of alike records");
  const from = check.instant(since, "the time since when records are alike");
  return host.alike(check.text(workflow, "a workflow"), wanted, from);
}

/** The record that this binding knows by a reference, or null. Needs `record` granted. */
export function referenced(reference) {
  return host.referenced(check.text(reference, "a reference"));
}
