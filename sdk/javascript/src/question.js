// What a hook is asked, from the contract's shapes to plain objects: names in camel case, `null` for
// what is not there, `Date` for instants.

import { own } from "./check.js";
import { InvalidInput, Misconfigured } from "./errors.js";
import { fieldsFromContract, instant } from "./value.js";

/** The circumstances of a call. */
export function call({ id, attempt, now, seed, actor, settings, facts }) {
  return {
    id,
    attempt,
    now: instant(now, "now"),
    seed,
    actor,
    settings: read(settings, (why) => new Misconfigured(`the settings are not JSON: ${why}`)),
    facts: fieldsFromContract(facts),
  };
}

/** A record. */
export function record(view) {
  return {
    id: view.id ?? null,
    workflow: view.workflow,
    state: view.state,
    category: view.category,
    version: Number(view.version),
    requester: view.requester ?? null,
    assignee: view.assignee ?? null,
    team: view.team ?? null,
    openedAt: instant(view.openedAt, "openedAt"),
    updatedAt: instant(view.updatedAt, "updatedAt"),
    stateSince: instant(view.stateSince, "stateSince"),
    fields: fieldsFromContract(view.fields),
    facts: fieldsFromContract(view.facts),
  };
}

/** What is put to the vote. */
export function approvalRequest({ transition, input, votes }) {
  return {
    transition,
    input: fieldsFromContract(input),
    votes: votes.map(({ stage, user, approves, at, reason }) => {
      return { stage, user, approves, at: instant(at, "a vote"), reason: reason ?? null };
    }),
  };
}

/** The service level that asks. */
export function agreement({ id, targets, calendar, facts }) {
  return { id, targets, calendar, facts: fieldsFromContract(facts) };
}

/** Something that happened to a record. */
export function event({ id, kind, subject, references, data }) {
  return {
    id,
    kind,
    record: record(subject),
    references,
    data: read(data, (why) => new InvalidInput(`the event is not JSON: ${why}`)),
  };
}

/** A request from the outside world. */
export function httpRequest(raw) {
  return new HttpRequest(raw);
}

/** What HTTP messages have in common: headers by name in whichever case, and the body as it is wanted. */
export class Message {
  constructor({ headers, body }) {
    /** Pairs of name and value. */
    this.headers = headers;
    /** The body as it came. */
    this.body = own(body);
  }

  /** The first header of this name, or null. */
  header(name) {
    const wanted = name.toLowerCase();
    return this.headers.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? null;
  }

  /** The body as text in UTF-8. */
  text() {
    return new TextDecoder().decode(this.body);
  }

  /** The body as JSON. Throws `InvalidInput` where it is none. */
  json() {
    return read(this.text(), (why) => new InvalidInput(`the body is not JSON: ${why}`));
  }
}

/** A request to the binding's own address. */
export class HttpRequest extends Message {
  constructor({ method, path, ...rest }) {
    super(rest);
    /** The method, in capitals. */
    this.method = method;
    /** What follows the binding's own address, with the query. */
    this.path = path;
  }
}

function read(json, failure) {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw failure(error.message);
  }
}
