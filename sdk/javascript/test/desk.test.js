import assert from "node:assert/strict";
import { test } from "node:test";

import { businessTime, directory, http, keyValue, log, routing, schedule, signing } from "@servicewright/sdk";
import { Desk, call, record } from "@servicewright/sdk/testing";

const encode = (text) => new TextEncoder().encode(text);

/** What look-ups answer at a desk. */
const at = (desk, look) => desk.ask(
    schedule(() => {
      look();
      return [];
    }),
    call(),
  );

test("people, teams and things are found", () => {
  const desk = new Desk({
    people: [{ id: "ada", manager: "carla" }],
    teams: { network: [], desk: ["ada", { user: "ben", openRecords: 2, skills: ["lan"] }] },
    things: { service: { mail: { team: "desk" } } },
  });
  at(desk, () => {
    assert.equal(directory.user("ada").manager, "carla");
    assert.equal(directory.user("nobody"), null);
    assert.deepEqual(directory.teams(), ["desk", "network"]);
    assert.deepEqual(
      directory.members("desk").map(({ user, openRecords, onShift }) => [user, openRecords, onShift]),
      [
        ["ada", 0, true],
        ["ben", 2, true],
      ],
    );
    assert.deepEqual(directory.find("service", "mail"), { team: "desk" });
    assert.equal(directory.find("service", "phone"), null);
    assert.throws(() => directory.members(7), /the id of a team must be a text/);
  });
});

test("records are found by links and by likeness", () => {
  const old = record("incident", { service: "mail" }, { id: "INC-1", updatedAt: new Date(1) });
  const young = record("incident", { service: "mail" }, { id: "INC-2" });
  const other = record("incident", { service: "phone" }, { id: "INC-3" });
  const desk = new Desk({ records: [old, young, other], links: { "INC-2": { blocks: ["INC-3"] } } });
  at(desk, () => {
    const ids = (records) => records.map(({ id }) => id);
    assert.deepEqual(ids(directory.linked("INC-2", "blocks")), ["INC-3"]);
    assert.deepEqual(ids(directory.alike("incident", { service: "mail" }, new Date(0))), ["INC-2", "INC-1"]);
    assert.deepEqual(ids(directory.alike("incident", { service: "mail" }, new Date(2))), ["INC-2"]);
  });
});

test("business time is counted in the spans of a calendar", () => {
  const days = [
    ["2026-01-05T08:00:00Z", "2026-01-05T16:00:00Z"],
    ["2026-01-06T08:00:00Z", "2026-01-06T16:00:00Z"],
  ];
  at(new Desk({ calendars: { office: days } }), () => {
    const start = new Date("2026-01-05T15:00:00Z");
    assert.deepEqual(businessTime.add("office", start, "PT2H"), new Date("2026-01-06T09:00:00Z"));
    assert.equal(businessTime.between("office", start, new Date("2026-01-06T09:00:00Z")), 7_200_000);
    assert.equal(businessTime.between("office", start, new Date("2026-01-01T09:00:00Z")), 0);
    assert.throws(() => businessTime.add("none", start, 1), { name: "Misconfigured" });
  });
});

test("a value is only replaced where it is the expected one", () => {
  at(new Desk(), () => {
    assert.equal(keyValue.compareAndSet("a", null, "1"), true);
    assert.equal(keyValue.compareAndSet("a", null, "2"), false);
    assert.equal(keyValue.getText("a"), "1");
    keyValue.update("a", () => null);
    assert.equal(keyValue.get("a"), null);
    keyValue.updateJson("count", (count) => (count ?? 0) + 1);
    keyValue.updateJson("count", (count) => (count ?? 0) + 1);
    assert.equal(keyValue.getJson("count"), 2);
    for (const key of ["b/2", "b/1", "c"]) keyValue.compareAndSet(key, null, "x");
    assert.deepEqual(keyValue.keys("b/"), ["b/1", "b/2"]);
    assert.deepEqual(keyValue.keys("b/", "b/1"), ["b/2"]);
  });
});

test("a message is signed as RFC 4231 has it", () => {
  at(new Desk({ secrets: { key: "Jefe" } }), () => {
    const message = "what do ya want for nothing?";
    const signature = signing.hmacSha256("key", message);
    assert.equal(signing.toHex(signature), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert.equal(signing.verifyHmacSha256("key", encode(message), signature), true);
    assert.equal(signing.verifyHmacSha256("key", "for nothing", signature), false);
    assert.equal(signing.verifyHmacSha256("key", message, new Uint8Array()), false);
    assert.throws(() => signing.hmacSha256("other", message), { name: "Misconfigured" });
  });
  assert.deepEqual(signing.fromHex("00ffAB"), Uint8Array.of(0, 255, 171));
  for (const wrong of ["abc", "+1", "zz", null, undefined]) assert.equal(signing.fromHex(wrong), null);
});

test("a request is sent and a response read", () => {
  const respond = ({ url }) => (url.endsWith("/busy") ? { status: 429, headers: { "Retry-After": "5" } } : { body: { id: 7 } });
  const desk = new Desk({ respond });
  at(desk, () => {
    const answered = http.post("https://a.example/b", { text: "x" }, { headers: { "X-Key": "k" }, timeout: "PT5S" });
    assert.equal(answered.ok, true);
    assert.deepEqual(answered.json(), { id: 7 });
    const busy = http.get("https://a.example/busy");
    assert.deepEqual([busy.ok, busy.retryAfter], [false, 5000]);
    for (const url of ["ftp://a.example", "https://", "https://ann:secret@a.example"]) {
      assert.throws(() => http.get(url), { name: "Misconfigured" }, url);
    }
  });
  assert.deepEqual(desk.sent[0].headers, [
    ["x-key", "k"],
    ["content-type", "application/json"],
  ]);
  at(new Desk(), () => assert.throws(() => http.get("https://a.example"), /no host was granted/));
});

test("an address is taken apart", () => {
  const parts = (url) => Object.values(http.target(url));
  assert.deepEqual(parts("https://a.example"), [true, "a.example", "/"]);
  assert.deepEqual(parts("http://a.example:80/b?c=d#e"), [false, "a.example:80", "/b?c=d"]);
  assert.deepEqual(parts("https://a.example?c"), [true, "a.example", "/?c"]);
});

test("desks do not mix, even while they wait", async () => {
  const route = routing(async () => {
    await new Promise(setImmediate);
    log.info("asked");
    return { team: directory.teams()[0], reason: "the only one" };
  });
  const [one, other] = [new Desk({ teams: { one: [] } }), new Desk({ teams: { other: [] } })];
  const answers = await Promise.all([one, other].map((desk) => desk.ask(route, call(), record("note"))));
  assert.deepEqual(
    answers.map(({ team }) => team),
    ["one", "other"],
  );
  assert.deepEqual(other.logged, [{ level: "info", message: "asked" }]);
});
