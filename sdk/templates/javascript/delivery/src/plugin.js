// Tells a chat room what happens to records: one message for each event, posted as JSON.

import { InvalidInput, Unavailable, delivery, http } from "@servicewright/sdk";

export const deliver = delivery((call, event) => {
  const { record } = event;
  const what = event.kind.split(".").at(-1);
  const text = `${record.id} ${what}: ${record.fields.summary ?? record.workflow}`;
  // The receiver knows a message that comes twice by this id.
  const headers = { "idempotency-key": call.id };
  const response = http.post(call.settings.url, { text }, { headers, timeout: "PT10S" });
  if (response.ok) {
    return [];
  }
  if (response.status === 429 || response.status >= 500) {
    throw new Unavailable(`the room answered ${response.status}`, { after: response.retryAfter });
  }
  throw new InvalidInput(`the room answered ${response.status}`);
});
