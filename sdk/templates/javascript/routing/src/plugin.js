// Gives work to whoever of one team has the least to do.

import { directory, routing } from "@servicewright/sdk";

export const route = routing((call) => {
  const { team } = call.settings;
  const members = directory.members(team).filter((member) => member.onShift);
  const [quietest] = members.sort((one, other) => one.openRecords - other.openRecords);
  if (quietest === undefined) {
    return { team, reason: "Nobody of the team is at work." };
  }
  return { team, assignee: quietest.user, reason: `${quietest.user} has ${quietest.openRecords} open.` };
});
