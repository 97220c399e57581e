// What the types allow and what they refuse. It is compiled and not run.

import { Misconfigured, Unavailable, approval, commands, delivery, directory, field, http, routing, serviceLevel, webhook } from "@servicewright/sdk";
import type { Routing } from "@servicewright/sdk";
import { Desk, call, httpRequest, record } from "@servicewright/sdk/testing";

interface Settings {
  team: string;
}

export const route = routing((call: import("@servicewright/sdk").Call<Settings>, record) => {
  const impact = field.text(record.fields, "impact", null);
  const team: string = call.settings.team;
  const hours: number = record.openedAt.getTime() / 3_600_000;
  const members = directory.members(team);
  // @ts-expect-error: settings have the author's own type
  call.settings.room;
  // @ts-expect-error: it may be nobody
  record.requester.length;
  return { team, assignee: members[0]?.user, reason: `${impact} ${hours}` };
});

// @ts-expect-error: a reason is missing
export const unreasoned = routing(() => ({ team: "desk" }));

export const later: Routing<Settings> = async (call) => ({ team: call.settings.team, reason: "later" });

export const decide = approval(() => ({
  ask: [{ id: "cab", approvers: [{ team: "cab" }], quorum: { percent: 50 }, timeout: "P2D", reason: "It is large." }],
}));

export const targets = serviceLevel((call, record, agreement) =>
  agreement.targets.map((id) => ({ id, within: "PT4H", calendar: agreement.calendar, reason: "As agreed." })),
);

export const deliver = delivery((call, event) => {
  const response = http.post("https://chat.example.com", { text: event.kind }, { timeout: 1000 });
  if (!response.ok) throw new Unavailable("busy", { after: response.retryAfter });
  return [commands.refer({ id: "INC-1" }, response.json().id)];
});

export const receive = webhook((call, request) => {
  if (request.header("x-signature") === null) throw new Misconfigured("no signature");
  return { status: 200, commands: [commands.comment({ reference: "a" }, request.text(), { public: true })] };
});

const desk = new Desk({ teams: { desk: ["ada", { user: "ben", openRecords: 3 }] } });
const answer: { team: string } = desk.ask(route, call({ team: "desk" }), record("incident", { impact: "high" }));
// @ts-expect-error: the settings have no team
desk.ask(route, call({ room: 1 }), record("incident"));
export const seen = [answer, desk.ask(receive, call({}), httpRequest("x")).status, desk.logged[0]?.level];
