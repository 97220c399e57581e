// For the tests of a plugin, under `node --test`: what a hook is asked, and a desk that stands in for
// the server. It is simpler than one: everything is granted, and calendars are given as the spans in
// which they are open.

import { content } from "./answer.js";
import * as check from "./check.js";
import { present } from "./host/desk.js";
import { HttpRequest } from "./question.js";

/** When everything in a test happens, unless it says otherwise: a Monday. */
export const NOW = new Date("2026-01-05T09:00:00Z");

/** A call with these settings at `NOW`, the first attempt, by the actor `ann`. `more` changes the rest. */
export function call(settings = {}, more = {}) {
  return { id: "call-1", attempt: 1, now: NOW, seed: 1n, actor: "ann", facts: {}, ...more, settings };
}

/** A record of a workflow with these fields, being created at `NOW`, in the state `new`. `more` changes the rest. */
export function record(workflow, fields = {}, more = {}) {
  const times = { openedAt: NOW, updatedAt: NOW, stateSince: NOW };
  const people = { requester: null, assignee: null, team: null };
  const place = { id: null, workflow, state: "new", category: "open", version: 0 };
  return { ...place, ...people, ...times, facts: {}, ...more, fields };
}

/** A request for approval by this transition, without input and votes. `more` changes those. */
export function approvalRequest(transition, more = {}) {
  return { input: {}, votes: [], ...more, transition };
}

/** An agreement with these targets, counted in this calendar. */
export function agreement(id, targets, calendar, facts = {}) {
  return { id, targets, calendar, facts };
}

/** An event about a record that the binding has no reference for. `more` changes the rest. */
export function event(kind, record, more = {}) {
  return { id: "event-1", references: [], data: {}, ...more, kind, record };
}

/** A `POST` of this body, a text, bytes or JSON, to the binding's address. `more` changes the rest. */
export function httpRequest(body, { method = "POST", path = "/", headers = {} } = {}) {
  return new HttpRequest({ method, path, ...content({ headers, body }) });
}

/** A desk to ask a hook at. */
export class Desk {
  /**
   * What look-ups answer: `people`, `teams` with their members, `things` by kind and id, `records`
   * with `links` and `references`, `calendars` as pairs of instants, `secrets`, `keyValues`; and `respond`, which
   * answers the requests of the plugin: without it they are refused.
   */
  constructor(given = {}) {
    const known = ["people", "teams", "things", "records", "links", "references", "calendars", "secrets", "keyValues", "respond"];
    check.object(given, "a desk", known);
    this.people = new Map((given.people ?? []).map((one) => person(one)).map((one) => [one.id, one]));
    this.teams = entries(given.teams, (members) => members.map(member));
    this.things = entries(given.things, (things) => entries(things, (fields) => fields));
    this.records = given.records ?? [];
    this.links = entries(given.links, (links) => links);
    this.references = entries(given.references, (id) => id);
    this.calendars = entries(given.calendars, (spans) => spans.map(open).sort(([one], [other]) => one - other));
    this.secrets = entries(given.secrets, (secret) => secret);
    this.keyValues = entries(given.keyValues, (value) => check.bytes(value, "a value"));
    this.respond = given.respond === undefined ? null : (request) => response(given.respond(request));
    /** The lines that plugins logged: `{ level, message }`. */
    this.logged = [];
    /** The requests that plugins sent: `{ method, url, headers, body }`. */
    this.sent = [];
  }

  /** Asks a hook, which sees this desk until it has answered. */
  ask(hook, ...question) {
    return present.run(this, () => hook(...question));
  }
}

function entries(given, read) {
  return new Map(Object.entries(given ?? {}).map(([name, value]) => [name, read(value)]));
}

function person(given) {
  const whole = typeof given === "string" ? { id: given } : given;
  return { name: whole.id, manager: null, organisation: null, facts: {}, ...whole };
}

function member(given) {
  const whole = typeof given === "string" ? { user: given } : given;
  return { skills: [], onShift: true, openRecords: 0, lastAssignedAt: null, facts: {}, ...whole };
}

function open(span) {
  return span.map((at) => Number(check.instant(new Date(at), "when a calendar opens or closes")));
}

function response({ status = 200, ...rest }) {
  return { status, ...content(rest) };
}
