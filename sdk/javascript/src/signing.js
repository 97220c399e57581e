// Proves who sent a message, with a secret that the plugin may use but never sees. For integrations.
// A secret that the binding was not granted is `Misconfigured`. Messages are texts or bytes.

import * as host from "#host";
import * as check from "./check.js";

/** The 32 bytes of HMAC-SHA-256 (RFC 2104) over a message, keyed with the secret of this name. */
export function hmacSha256(secret, message) {
  return host.hmacSha256(check.text(secret, "the name of a secret"), check.bytes(message, "the message"));
}

/** Whether `signature` is what `hmacSha256` makes of the message, compared in constant time. */
export function verifyHmacSha256(secret, message, signature) {
  return host.verifyHmacSha256(
    check.text(secret, "the name of a secret"),
    check.bytes(message, "the message"),
    check.bytes(signature, "the signature"),
  );
}

/**
 * Whether `candidate` is the secret itself, compared in constant time: for a sender that shows a shared
 * token instead of signing. At most 16 times in a call.
 */
export function isSecret(secret, candidate) {
  return host.isSecret(check.text(secret, "the name of a secret"), check.bytes(candidate, "what may be the secret"));
}

/** Bytes as lower-case hexadecimal digits, which is how signatures stand in headers. */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes that hexadecimal digits of either case stand for; null where it is anything else. */
export function fromHex(text) {
  if (typeof text !== "string" || !/^(?:[0-9a-f]{2})*$/i.test(text)) {
    return null;
  }
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
