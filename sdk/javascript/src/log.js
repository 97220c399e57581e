// Lines for the operator, shown with the trace of the call. How much a call may write is limited; what
// is beyond the limit is dropped.

import * as host from "#host";

/** Writes a line for whoever works on the plugin. */
export function debug(message) {
  host.log("debug", String(message));
}

/** Writes a line worth knowing. */
export function info(message) {
  host.log("info", String(message));
}

/** Writes a line somebody should look at. */
export function warn(message) {
  host.log("warn", String(message));
}

/** Writes that something failed. */
export function error(message) {
  host.log("error", String(message));
}
