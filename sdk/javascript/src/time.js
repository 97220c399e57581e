// Instants are `Date`s. Spans of time are numbers of milliseconds; where one is wanted, a text in
// ISO 8601 such as "PT4H" does as well.

const UNITS = [
  ["W", 604_800_000],
  ["D", 86_400_000],
  ["H", 3_600_000],
  ["M", 60_000],
  ["S", 1_000],
];
const ISO = /^P(?=[\dT])(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/;

/**
 * The milliseconds of a span in ISO 8601, such as "PT4H" or "P1DT12H". A day is 24 hours and a week
 * seven days; months and years have no fixed length and are refused. Throws a `RangeError` where the
 * text is no such span.
 */
export function milliseconds(text) {
  const parts = ISO.exec(text);
  if (parts === null) {
    throw new RangeError(`\`${text}\` is not a duration such as PT4H or P2D`);
  }
  const sum = UNITS.reduce((sum, [, unit], place) => sum + Number(parts[place + 1] ?? 0) * unit, 0);
  if (!Number.isSafeInteger(sum)) {
    throw new RangeError(`\`${text}\` is too long a time`);
  }
  return sum;
}

/** Milliseconds that are meant by a number or a text. Throws a `RangeError` that names the place. */
export function span(given, place) {
  if (typeof given === "string") {
    try {
      return milliseconds(given);
    } catch (error) {
      throw new RangeError(`${place}: ${error.message}`);
    }
  }
  const whole = typeof given === "number" ? Math.round(given) : Number.NaN;
  if (!Number.isSafeInteger(whole) || whole < 0) {
    throw new RangeError(`${place} must be milliseconds, or a duration such as "PT4H"`);
  }
  return whole;
}

/** Whether it is a date that stands for an instant. */
export function isInstant(given) {
  return given instanceof Date && !Number.isNaN(given.getTime());
}
