// Fetches a list now and then, and makes a record of each entry. Entries are `{ number, summary }`.

import { Unavailable, commands, http, schedule } from "@servicewright/sdk";

/** How many entries one call takes; a call may give 100 commands. */
const MAX_AT_ONCE = 50;

export const run = schedule((call) => {
  const { url, workflow } = call.settings;
  const response = http.get(url, { timeout: "PT10S" });
  if (!response.ok) {
    throw new Unavailable(`the list answered ${response.status}`, { after: response.retryAfter });
  }
  const entries = response.json().slice(0, MAX_AT_ONCE);
  // A number is a reference: an entry that has its record already gets no other.
  return entries.map(({ number, summary }) => commands.create(workflow, { summary }, { reference: String(number) }));
});
