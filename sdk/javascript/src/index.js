// What the author of a plugin imports: one function per hook, look-ups, and errors to throw.

import { hook } from "./hooks.js";

/** Who has to agree before a record goes on; exported as `decide`. Pure. */
export const approval = hook("approval");
/** Who should work on a record; exported as `route`. Pure. */
export const routing = hook("routing");
/** What was promised, and by when; exported as `targets`. Pure. */
export const serviceLevel = hook("service-level");
/** Tells the outside world what happened; exported as `deliver`. */
export const delivery = hook("delivery");
/** Hears from the outside world; exported as `receive`. */
export const webhook = hook("webhook");
/** Looks at the outside world now and then; exported as `run`. */
export const schedule = hook("schedule");

export * as businessTime from "./business-time.js";
export * as commands from "./commands.js";
export * as directory from "./directory.js";
export * as field from "./field.js";
export * as http from "./http.js";
export * as keyValue from "./key-value.js";
export * as log from "./log.js";
export * as signing from "./signing.js";
export { InvalidInput, Internal, Misconfigured, PluginError, Unavailable } from "./errors.js";
export { milliseconds } from "./time.js";
