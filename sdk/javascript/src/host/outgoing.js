// Sends a request by `wasi:http/outgoing-handler`, in plain calls that wait: there is no event loop to
// turn. Whatever stems from a thing of WASI has to be let go of before that thing itself.

import { handle } from "wasi:http/outgoing-handler";
import { Fields, OutgoingBody, OutgoingRequest, RequestOptions } from "wasi:http/types";
import { Internal, Misconfigured, PluginError, Unavailable } from "../errors.js";
import { MAX_RESPONSE_BYTES } from "../http.js";

/** The most that one write may take, says `wasi:io`. */
const WRITE_BYTES = 4096;
const READ_BYTES = 65_536n;
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

export function send(request) {
  const outgoing = outgoingRequest(request);
  const body = outgoing.body();
  const pending = attempt(() => handle(outgoing, options(request)));
  write(body, request.body);
  const response = wait(pending);
  const read = { status: response.status(), headers: headers(response), body: readBody(response) };
  release(response);
  release(pending);
  return read;
}

function outgoingRequest({ method, url, target, headers }) {
  const entries = headers.map(([name, value]) => [name, new TextEncoder().encode(value)]);
  let fields;
  try {
    fields = Fields.fromList(entries);
  } catch (error) {
    throw error.payload?.tag === undefined
      ? error
      : new Misconfigured(`a header cannot be sent: ${error.payload.tag}`);
  }
  const outgoing = new OutgoingRequest(fields);
  try {
    outgoing.setMethod(METHODS.includes(method) ? { tag: method.toLowerCase() } : { tag: "other", val: method });
    outgoing.setScheme({ tag: target.encrypted ? "HTTPS" : "HTTP" });
    outgoing.setAuthority(target.authority);
    outgoing.setPathWithQuery(target.path);
  } catch (error) {
    throw error instanceof PluginError ? error : new Misconfigured(`\`${url}\` cannot be sent to`);
  }
  return outgoing;
}

/** A server need not support each of these limits; its own limit on the whole call always holds. */
function options({ timeout }) {
  if (timeout === null) {
    return undefined;
  }
  const options = new RequestOptions();
  const nanoseconds = timeout * 1_000_000n;
  for (const set of ["setConnectTimeout", "setFirstByteTimeout", "setBetweenBytesTimeout"]) {
    try {
      options[set](nanoseconds);
    } catch {
      // Not supported.
    }
  }
  return options;
}

function write(body, bytes) {
  if (bytes.length > 0) {
    const stream = body.write();
    try {
      for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
        stream.blockingWriteAndFlush(bytes.subarray(at, at + WRITE_BYTES));
      }
    } catch {
      // A server that answers early stops reading; its answer tells.
    }
    release(stream);
  }
  attempt(() => OutgoingBody.finish(body, undefined));
}

function wait(pending) {
  const ready = pending.subscribe();
  ready.block();
  release(ready);
  const got = pending.get();
  if (got?.tag !== "ok") {
    throw new Internal("a response that was ready is none");
  }
  if (got.val.tag === "err") {
    throw failure(got.val.val);
  }
  return got.val.val;
}

function headers(response) {
  const fields = response.headers();
  const decoder = new TextDecoder();
  const pairs = fields.entries().map(([name, value]) => [name, decoder.decode(value)]);
  release(fields);
  return pairs;
}

function readBody(response) {
  const body = response.consume();
  const stream = body.stream();
  const chunks = [];
  let length = 0;
  try {
    for (;;) {
      const chunk = stream.blockingRead(READ_BYTES);
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_RESPONSE_BYTES) {
        throw new Unavailable(`the response is over ${MAX_RESPONSE_BYTES} bytes`);
      }
    }
  } catch (error) {
    if (error.payload?.tag !== "closed") {
      throw error.payload === undefined ? error : new Unavailable("the response broke off");
    }
  }
  release(stream);
  release(body);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function attempt(request) {
  try {
    return request();
  } catch (error) {
    throw error.payload?.tag === undefined ? error : failure(error.payload);
  }
}

function release(thing) {
  thing[Symbol.dispose ?? Symbol.for("dispose")]();
}

function failure({ tag, val }) {
  switch (tag) {
    case "HTTP-request-denied":
    case "destination-IP-prohibited":
      return new Misconfigured("the host was not granted");
    case "HTTP-request-URI-invalid":
    case "HTTP-request-method-invalid":
      return new Misconfigured("the request cannot be sent");
    case "internal-error":
      return new Unavailable(val ?? "no response came");
    case "connection-refused":
      return new Unavailable("the connection was refused");
    case "connection-timeout":
    case "connection-read-timeout":
    case "connection-write-timeout":
    case "HTTP-response-timeout":
      return new Unavailable("no response came in time");
    case "DNS-error":
    case "DNS-timeout":
      return new Unavailable("the name of the host was not found");
    default:
      return new Unavailable("no response came");
  }
}
