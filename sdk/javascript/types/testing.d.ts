// The types of `@servicewright/sdk/testing`.

import type {
  Agreement,
  ApprovalRequest,
  Call,
  Content,
  Event,
  Fields,
  HttpRequest,
  Member,
  Person,
  RecordView,
} from "./index.js";

/** When everything in a test happens, unless it says otherwise: 2026-01-05T09:00:00Z, a Monday. */
export const NOW: Date;

export function call<Settings>(settings?: Settings, more?: Partial<Omit<Call, "settings">>): Call<Settings>;
export function record(workflow: string, fields?: Fields, more?: Partial<Omit<RecordView, "workflow" | "fields">>): RecordView;
export function approvalRequest(transition: string, more?: Partial<ApprovalRequest>): ApprovalRequest;
export function agreement(id: string, targets: string[], calendar: string, facts?: Fields): Agreement;
export function event(kind: string, record: RecordView, more?: Partial<Omit<Event, "kind" | "record">>): Event;
export function httpRequest(
  body?: unknown,
  more?: { method?: string; path?: string; headers?: Content["headers"] },
): HttpRequest;

/** A request that a plugin sent. */
export interface Sent {
  method: string;
  url: string;
  headers: [string, string][];
  body: Uint8Array;
}

export interface Given {
  people?: (string | ({ id: string } & Partial<Person>))[];
  /** Their members, by team. */
  teams?: { [team: string]: (string | ({ user: string } & Partial<Member>))[] };
  /** Fields, by kind and id. */
  things?: { [kind: string]: { [id: string]: Fields } };
  records?: RecordView[];
  /** The numbers that links lead to, by number and kind of link. */
  links?: { [id: string]: { [kind: string]: string[] } };
  /** The numbers of records, by the binding's own names for them. */
  references?: { [reference: string]: string };
  /** When calendars are open: pairs of instants, such as "2026-01-05T08:00:00Z". */
  calendars?: { [calendar: string]: [string | Date, string | Date][] };
  secrets?: { [name: string]: string };
  keyValues?: { [key: string]: string | Uint8Array };
  /** Answers the requests of the plugin; without it they are refused. */
  respond?: (request: Sent) => { status?: number } & Content;
}

/** A desk that stands in for the server. */
export class Desk {
  constructor(given?: Given);
  /** Asks a hook, which sees this desk until it has answered. */
  ask<Given extends unknown[], T>(hook: (...given: Given) => T, ...question: Given): T;
  /** The lines that plugins logged. */
  readonly logged: { level: "debug" | "info" | "warn" | "error"; message: string }[];
  /** The requests that plugins sent. */
  readonly sent: Sent[];
}
