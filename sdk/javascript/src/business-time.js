// Reckons in the calendars of the pack. A calendar that there is not is `Misconfigured`.

import * as host from "#host";
import * as check from "./check.js";

/** When so much business time after `start` is over. The span is milliseconds, or a text such as "PT4H". */
export function add(calendar, start, span) {
  return host.businessAdd(
    check.text(calendar, "the id of a calendar"),
    check.instant(start, "the start"),
    check.duration(span, "the span"),
  );
}

/** How many milliseconds of business time lie between two instants; none, unless `end` is the later. */
export function between(calendar, start, end) {
  return host.businessBetween(
    check.text(calendar, "the id of a calendar"),
    check.instant(start, "the start"),
    check.instant(end, "the end"),
  );
}
