// Asks the requester's manager, and then whoever holds the budget, about what costs more than a limit.

import { approval, directory, field } from "@servicewright/sdk";

export const decide = approval((call, record) => {
  const { field: id, limit, team } = call.settings;
  const cost = field.number(record.fields, id, 0);
  if (cost <= limit) {
    return { approve: `${cost} is within the limit of ${limit}.` };
  }
  const stages = [
    { id: "budget", approvers: [{ team }], quorum: "any", timeout: "P5D", reason: `${cost} is over ${limit}.` },
  ];
  const manager = record.requester === null ? null : directory.user(record.requester)?.manager;
  if (manager) {
    stages.unshift({
      id: "manager",
      approvers: [{ user: manager }],
      timeout: "P2D",
      reason: `${record.requester} reports to ${manager}.`,
    });
  }
  return { ask: stages };
});
