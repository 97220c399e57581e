// Requests to the hosts that the binding grants. For integrations. A function returns once the whole
// response is there. Redirects are not followed: one comes back as the 3xx that it is. A secret gets
// into a header by `{{secret:name}}`, which the server replaces on the way out.

import * as host from "#host";
import { content } from "./answer.js";
import * as check from "./check.js";
import { Misconfigured } from "./errors.js";
import { Message } from "./question.js";

/** How many bytes of a response are read. */
export const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

/** What came back, whatever its status. */
export class Response extends Message {
  constructor({ status, ...rest }) {
    super(rest);
    /** The HTTP status. */
    this.status = status;
  }

  /** Whether the status is 2xx. */
  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  /** How many milliseconds the other side asks to be left alone, where it says so in seconds; or null. */
  get retryAfter() {
    const seconds = this.header("retry-after")?.trim();
    return /^\d{1,9}$/.test(seconds ?? "") ? Number(seconds) * 1000 : null;
  }
}

/** A `GET`. */
export function get(url, options = {}) {
  return send({ ...options, method: "GET", url });
}

/** A `POST`. A text or bytes are sent as they are, anything else as JSON. */
export function post(url, body, options = {}) {
  return send({ ...options, method: "POST", url, body });
}

/**
 * Sends `{ method, url, headers, body, timeout }` and waits for the whole response, whatever its
 * status. The timeout, in milliseconds or as a text such as "PT10S", is for the connection, for the
 * first byte and between bytes. Throws `Misconfigured` where the address is none or its host was not
 * granted, and `Unavailable` where no response came, or one over `MAX_RESPONSE_BYTES`.
 */
export function send(request) {
  check.object(request, "a request", ["method", "url", "headers", "body", "timeout"]);
  const url = check.text(request.url, "a request's `url`");
  const sent = {
    method: check.text(request.method ?? "GET", "a request's `method`").toUpperCase(),
    url,
    target: target(url),
    timeout: check.optional(request.timeout, (timeout) => check.duration(timeout, "a request's `timeout`")) ?? null,
    ...content(request),
  };
  return new Response(host.send(sent));
}

/** Whether it is encrypted, the host with its port, and the path with the query. */
export function target(url) {
  const parts = /^(https?):\/\/([^/?#@]+)([/?][^#]*)?(?:#.*)?$/s.exec(url);
  if (parts === null) {
    throw new Misconfigured(`\`${url}\` is not an HTTP address`);
  }
  const [, scheme, authority, rest = "/"] = parts;
  return { encrypted: scheme === "https", authority, path: rest.startsWith("?") ? `/${rest}` : rest };
}
