// The types of `@servicewright/sdk`. What the functions do is said where they are: in `src/`.

/** What a field holds: `null` where it is not filled in, a `bigint` where a number would not be exact. */
export type Value = null | boolean | number | bigint | string | Date | string[] | Json;
/** Whatever has no type of its own. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
/** Named values: the fields of a record, the input of a form, or facts. */
export type Fields = { [id: string]: Value };
/** The same where they are given: an `undefined` counts as empty. */
export type GivenFields = { [id: string]: Value | undefined };
/** A span of time: milliseconds, or a text in ISO 8601 such as "PT4H". */
export type Span = number | string;
/** What may be left out. */
type Maybe<T> = T | null | undefined;

/** The circumstances of one call. A pure hook has no other clock and no other source of chance. */
export interface Call<Settings = any> {
  /** Unchanged when a call is tried again, and so fit to be an idempotency key elsewhere. */
  id: string;
  /** Counts tries, from 1. */
  attempt: number;
  now: Date;
  /** What to draw chance from; `Math.random` does so by itself. */
  seed: bigint;
  /** Whoever set this off: the id of a person, `binding:` and the id of a binding, or `timer`. */
  actor: string;
  /** The settings of the binding, which the plugin's own schema accepts. */
  settings: Settings;
  /** What later servers say beyond the rest. */
  facts: Fields;
}

/** A record as the running step would leave it, were the answer asked for not needed. */
export interface RecordView {
  /** The number people quote, such as `INC-1042`; null while the record is being created. */
  id: string | null;
  workflow: string;
  state: string;
  /** The part of its life it is in, under whatever name the workflow gives the state. */
  category: "open" | "waiting" | "resolved" | "closed";
  /** Counts committed changes; 0 while the record is being created. */
  version: number;
  requester: string | null;
  assignee: string | null;
  team: string | null;
  openedAt: Date;
  updatedAt: Date;
  stateSince: Date;
  fields: Fields;
  /** What later servers say beyond the rest. */
  facts: Fields;
}

/** An answer, or a promise of it. */
export type Answer<T> = T | Promise<T>;

export interface ApprovalRequest {
  /** The transition that asks. */
  transition: string;
  /** What the form of that transition was given. */
  input: Fields;
  /** All votes in earlier rounds about this record, the oldest first. */
  votes: Vote[];
}

export interface Vote {
  stage: string;
  user: string;
  approves: boolean;
  at: Date;
  reason: string | null;
}

/** Nobody has to be asked, it is not to be, or these are asked, stage after stage. Texts say why. */
export type Verdict =
  | { approve: string; reject?: undefined; ask?: undefined }
  | { reject: string; approve?: undefined; ask?: undefined }
  | { ask: Stage[]; approve?: undefined; reject?: undefined };

/** One round of voting. */
export interface Stage {
  id: string;
  /** Neither the actor nor the requester has a vote, even if named. */
  approvers: Approver[];
  /** How many of them have to agree: "all" unless said otherwise. */
  quorum?: "all" | "any" | { count: number } | { percent: number };
  /** Once this is over without a decision, the approval has expired. */
  timeout?: Maybe<Span | TimeLimit>;
  /** Why these are asked: a sentence that approvers read and the journal keeps. */
  reason: string;
}

export type Approver = { user: string } | { team: string } | { role: string };

export interface TimeLimit {
  duration: Span;
  /** The calendar of the pack that counts it. Without one it is counted as time passes. */
  calendar?: Maybe<string>;
}

export interface Assignment {
  team: string;
  /** Without one, the record waits for somebody of the team to take it. */
  assignee?: Maybe<string>;
  /** A sentence that people read and the journal keeps. */
  reason: string;
}

export interface Agreement {
  id: string;
  /** The targets that want a goal, such as `resolution`. No others may be answered for. */
  targets: string[];
  calendar: string;
  facts: Fields;
}

/** What was promised for one target: `within` so much time, or an instant that no waiting moves. */
export type Target = {
  id: string;
  /** How much of the goal may be used up before the workflow is warned, in percent, rising. */
  warnAtPercent?: number[];
  /** A sentence that people read and the journal keeps. */
  reason: string;
} & ({ within: Span; calendar?: Maybe<string>; dueAt?: undefined } | { dueAt: Date; within?: undefined });

/** Something that happened to a record. */
export interface Event {
  id: string;
  /** What happened, as a CloudEvents type. */
  kind: string;
  /** The record once it had happened. */
  record: RecordView;
  /** The names this binding knows the record by. */
  references: string[];
  /** The change as a CloudEvents event. */
  data: any;
}

/** What HTTP messages have in common. */
interface Message {
  /** Pairs of name and value. */
  headers: [string, string][];
  body: Uint8Array;
  /** The first header of this name, in whichever case, or null. */
  header(name: string): string | null;
  text(): string;
  /** Throws `InvalidInput` where the body is no JSON. */
  json(): any;
}

export interface HttpRequest extends Message {
  /** In capitals. */
  method: string;
  /** What follows the binding's own address, with the query. */
  path: string;
}

/** Headers, by name or as pairs, and a body: a text or bytes are sent as they are, anything else as JSON. */
export interface Content {
  headers?: Maybe<{ [name: string]: string } | [string, string][]>;
  body?: unknown;
}

export interface Reply extends Content {
  status: number;
  /** How the sender names this delivery. One already seen changes nothing and gets the same response. */
  delivery?: Maybe<string>;
  commands?: Maybe<Command[]>;
}

/** A record, by its number or by the name this binding gave it for the outside world. */
export type Subject = string | { id: string } | { reference: string };

/** One thing to do; the functions of `commands` make them. */
export type Command = { onBehalfOf?: Maybe<string> } & (
  | { action: "create"; workflow: string; fields: GivenFields; reference?: Maybe<string> }
  | { action: "transition"; subject: Subject; name: string; input?: GivenFields }
  | { action: "update"; subject: Subject; fields: GivenFields }
  | { action: "assign"; subject: Subject; team: string; assignee?: Maybe<string> }
  | { action: "vote"; subject: Subject; approves: boolean; reason?: Maybe<string> }
  | { action: "comment"; subject: Subject; text: string; public?: boolean }
  | { action: "link"; subject: Subject; kind: string; target: Subject }
  | { action: "refer"; subject: Subject; reference: string }
);

export type Approval<S = any> = (call: Call<S>, record: RecordView, request: ApprovalRequest) => Answer<Verdict>;
export type Routing<S = any> = (call: Call<S>, record: RecordView) => Answer<Assignment>;
export type ServiceLevel<S = any> = (call: Call<S>, record: RecordView, agreement: Agreement) => Answer<Target[]>;
export type Delivery<S = any> = (call: Call<S>, event: Event) => Answer<Command[]>;
export type Webhook<S = any> = (call: Call<S>, request: HttpRequest) => Answer<Reply>;
export type Schedule<S = any> = (call: Call<S>) => Answer<Command[]>;

// Each takes a function and gives one that is called alike and answers the same: in a test, an answer
// that is not what the contract has throws `Internal` and names what is wrong.

/** Who has to agree before a record goes on; exported as `decide`. Pure. */
export function approval<S = any>(answer: (call: Call<S>, record: RecordView, request: ApprovalRequest) => Verdict): (call: Call<S>, record: RecordView, request: ApprovalRequest) => Verdict;
export function approval<S = any>(answer: (call: Call<S>, record: RecordView, request: ApprovalRequest) => Promise<Verdict>): (call: Call<S>, record: RecordView, request: ApprovalRequest) => Promise<Verdict>;
/** Who should work on a record; exported as `route`. Pure. */
export function routing<S = any>(answer: (call: Call<S>, record: RecordView) => Assignment): (call: Call<S>, record: RecordView) => Assignment;
export function routing<S = any>(answer: (call: Call<S>, record: RecordView) => Promise<Assignment>): (call: Call<S>, record: RecordView) => Promise<Assignment>;
/** What was promised, and by when; exported as `targets`. Pure. */
export function serviceLevel<S = any>(answer: (call: Call<S>, record: RecordView, agreement: Agreement) => Target[]): (call: Call<S>, record: RecordView, agreement: Agreement) => Target[];
export function serviceLevel<S = any>(answer: (call: Call<S>, record: RecordView, agreement: Agreement) => Promise<Target[]>): (call: Call<S>, record: RecordView, agreement: Agreement) => Promise<Target[]>;
/** Tells the outside world what happened; exported as `deliver`. */
export function delivery<S = any>(answer: (call: Call<S>, event: Event) => Command[]): (call: Call<S>, event: Event) => Command[];
export function delivery<S = any>(answer: (call: Call<S>, event: Event) => Promise<Command[]>): (call: Call<S>, event: Event) => Promise<Command[]>;
/** Hears from the outside world; exported as `receive`. */
export function webhook<S = any>(answer: (call: Call<S>, request: HttpRequest) => Reply): (call: Call<S>, request: HttpRequest) => Reply;
export function webhook<S = any>(answer: (call: Call<S>, request: HttpRequest) => Promise<Reply>): (call: Call<S>, request: HttpRequest) => Promise<Reply>;
/** Looks at the outside world now and then; exported as `run`. */
export function schedule<S = any>(answer: (call: Call<S>) => Command[]): (call: Call<S>) => Command[];
export function schedule<S = any>(answer: (call: Call<S>) => Promise<Command[]>): (call: Call<S>) => Promise<Command[]>;

export interface Person {
  id: string;
  name: string;
  manager: string | null;
  organisation: string | null;
  facts: Fields;
}

export interface Member {
  user: string;
  skills: string[];
  onShift: boolean;
  openRecords: number;
  lastAssignedAt: Date | null;
  /**
   * What else the desk keeps about them: `on-call`, whether they are, where the team has a rota;
   * `absent`, true while they are out of office; `skill-levels`, from skill to level, where any has
   * another level than 1.
   */
  facts: Fields;
}

export namespace directory {
  function user(id: string): Person | null;
  function teams(): string[];
  function members(team: string): Member[];
  function find(kind: string, id: string): Fields | null;
  function linked(id: string, kind: string): RecordView[];
  function alike(workflow: string, fields: GivenFields, since: Date): RecordView[];
  function referenced(reference: string): RecordView | null;
}

export namespace businessTime {
  function add(calendar: string, start: Date, span: Span): Date;
  function between(calendar: string, start: Date, end: Date): number;
}

export namespace keyValue {
  type Stored = string | Uint8Array;
  function get(key: string): Uint8Array | null;
  function getText(key: string): string | null;
  function getJson(key: string): any;
  function compareAndSet(key: string, expected: Stored | null, value: Stored | null): boolean;
  function update(key: string, change: (value: Uint8Array | null) => Stored | null): void;
  function updateJson(key: string, change: (value: any) => unknown): void;
  function keys(prefix: string, after?: string | null): string[];
}

export namespace signing {
  type Bytes = string | Uint8Array;
  function hmacSha256(secret: string, message: Bytes): Uint8Array;
  function verifyHmacSha256(secret: string, message: Bytes, signature: Uint8Array): boolean;
  function isSecret(secret: string, candidate: Bytes): boolean;
  function toHex(bytes: Uint8Array): string;
  function fromHex(text: string | null | undefined): Uint8Array | null;
}

export namespace log {
  function debug(message: unknown): void;
  function info(message: unknown): void;
  function warn(message: unknown): void;
  function error(message: unknown): void;
}

export namespace http {
  const MAX_RESPONSE_BYTES: number;
  interface Options extends Content {
    timeout?: Maybe<Span>;
  }
  interface Request extends Options {
    method?: string;
    url: string;
  }
  interface Response extends Message {
    status: number;
    /** Whether the status is 2xx. */
    readonly ok: boolean;
    /** How many milliseconds the other side asks to be left alone, or null. */
    readonly retryAfter: number | null;
  }
  function get(url: string, options?: Options): Response;
  function post(url: string, body: unknown, options?: Options): Response;
  function send(request: Request): Response;
}

export namespace commands {
  interface Options {
    /** The person who said so out there, for a binding granted `act-as`. */
    onBehalfOf?: Maybe<string>;
  }
  function create(workflow: string, fields: GivenFields, options?: Options & { reference?: Maybe<string> }): Command;
  function transition(subject: Subject, name: string, input?: GivenFields, options?: Options): Command;
  function update(subject: Subject, fields: GivenFields, options?: Options): Command;
  function assign(subject: Subject, to: { team: string; assignee?: Maybe<string> }, options?: Options): Command;
  function vote(subject: Subject, vote: { approves: boolean; reason?: Maybe<string> }, options?: Options): Command;
  function comment(subject: Subject, text: string, options?: Options & { public?: boolean }): Command;
  function link(subject: Subject, kind: string, target: Subject, options?: Options): Command;
  function refer(subject: Subject, reference: string, options?: Options): Command;
}

/** Reads fields as the type that is wanted; `otherwise` is what an empty one gives. */
export namespace field {
  type Reader<T> = {
    (fields: Fields, id: string): T;
    <O>(fields: Fields, id: string, otherwise: O): T | O;
  };
  const text: Reader<string>;
  const boolean: Reader<boolean>;
  const integer: Reader<number>;
  const number: Reader<number>;
  const texts: Reader<string[]>;
  const instant: Reader<Date>;
}

/** The milliseconds of a span in ISO 8601. Throws a `RangeError` where the text is none. */
export function milliseconds(text: string): number;

/** Why a hook or a look-up gave no answer. */
export class PluginError extends Error {
  protected constructor(kind: string, message: string, options?: ErrorOptions);
  readonly kind: "invalid-input" | "misconfigured" | "unavailable" | "internal";
}
/** The record or request is not what the plugin can work with. */
export class InvalidInput extends PluginError {
  constructor(message: string, options?: ErrorOptions);
}
/** The binding's settings or grants do not fit. */
export class Misconfigured extends PluginError {
  constructor(message: string, options?: ErrorOptions);
}
/** Something beyond the plugin gave no answer. */
export class Unavailable extends PluginError {
  constructor(message: string, options?: ErrorOptions & { after?: Maybe<Span> });
  /** Milliseconds until asking again makes sense, where that is known. */
  readonly after: number | null;
}
/** The plugin itself went wrong. */
export class Internal extends PluginError {
  constructor(message: string, options?: ErrorOptions);
}
