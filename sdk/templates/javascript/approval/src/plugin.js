// Asks the requester's manager, and then whoever holds the budget, about what costs more than a limit.

import { approval, directory, field } from "@servicewright/sdk";

export const decide = approval((call, record) => {
  const { field: id, limit, team } = call.settings;
  const cost = field.number(record.fields, id, 0);
  if (cost <= limit) {
    return { approve: `${cost} is within the limit of ${limit}.` };
  }
  /** @type {import("@servicewright/sdk").Stage[]} */
  const stages = [];
  const manager = record.requester === null ? null : directory.user(record.requester)?.manager;
  if (manager) {
    const reason = `${record.requester} reports to ${manager}.`;
    stages.push({ id: "manager", approvers: [{ user: manager }], timeout: "P2D", reason });
  }
  const reason = `${cost} is over the limit of ${limit}.`;
  stages.push({ id: "budget", approvers: [{ team }], quorum: "any", timeout: "P5D", reason });
  return { ask: stages };
});
