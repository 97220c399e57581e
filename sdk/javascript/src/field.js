// Reads fields as the type that is wanted. Each function throws `InvalidInput` naming the field where
// it holds something else; an empty one gives `otherwise`, and is an error where that is not given.

import { InvalidInput } from "./errors.js";
import { isInstant } from "./time.js";
import { kind } from "./value.js";

function reader(wanted, read) {
  return (fields, id, otherwise) => {
    const value = Object.hasOwn(fields, id) ? fields[id] : null;
    if ((value === null || value === undefined) && otherwise !== undefined) {
      return otherwise;
    }
    const found = value === null || value === undefined ? undefined : read(value);
    if (found === undefined) {
      throw new InvalidInput(`field \`${id}\` must be ${wanted}, and is ${kind(value ?? null)}`);
    }
    return found;
  };
}

const where = (fits) => (value) => (fits(value) ? value : undefined);

/** A text. */
export const text = reader("a text", where((value) => typeof value === "string"));
/** True or false. */
export const boolean = reader("a boolean", where((value) => typeof value === "boolean"));
/** A whole number. */
export const integer = reader("an integer", where(Number.isSafeInteger));
/** Any number. */
export const number = reader("a number", where((value) => typeof value === "number"));
/** A list of texts. */
export const texts = reader(
  "a list of texts",
  where((value) => Array.isArray(value) && value.every((item) => typeof item === "string")),
);
/** An instant; also from a text in RFC 3339, which is how forms and JSON give one. */
export const instant = reader("an instant", (value) => {
  const date = typeof value === "string" ? new Date(value) : value;
  return isInstant(date) ? date : undefined;
});
