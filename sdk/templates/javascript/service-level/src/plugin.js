// Promises a time by the value of one field, counted in the calendar of the service level that asks.

import { field, serviceLevel } from "@servicewright/sdk";

export const targets = serviceLevel((call, record, agreement) => {
  const { field: id, within, otherwise } = call.settings;
  const value = field.text(record.fields, id, "");
  const known = Object.hasOwn(within, value);
  return agreement.targets.map((target) => ({
    id: target,
    within: known ? within[value] : otherwise,
    calendar: agreement.calendar,
    warnAtPercent: [75],
    reason: known ? `${id} is ${value}.` : `Nothing else is promised for this ${id}.`,
  }));
});
