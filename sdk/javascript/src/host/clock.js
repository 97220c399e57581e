// Time and chance in a component: a hook has no other than those of its call. `Date` and `Math.random`
// give those, so that code which knows nothing of calls can be replayed too.

const PlainDate = globalThis.Date;
const MASK = 2n ** 64n - 1n;

let now = 0;
let state = 0n;
let begun = false;

/** Whether a hook is called. It is not while the component is built, which runs what modules do at once. */
export function isCalled() {
  return begun;
}

/** Begins a call. */
export function begin(call) {
  begun = true;
  now = Number(call.now);
  state = call.seed;
}

globalThis.Date = new Proxy(PlainDate, {
  construct: (target, given, made) =>
    Reflect.construct(target, given.length === 0 ? [now] : given, made === globalThis.Date ? target : made),
  apply: () => new PlainDate(now).toString(),
});
PlainDate.now = () => now;
PlainDate.prototype.constructor = globalThis.Date;

/** SplitMix64 (Steele, Lea and Flood 2014): equally spread, and cheap to begin. */
Math.random = () => {
  state = (state + 0x9e3779b97f4a7c15n) & MASK;
  let mixed = state;
  mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & MASK;
  mixed ^= mixed >> 31n;
  return Number(mixed >> 11n) / 2 ** 53;
};

// What would look like a secret and be the same in every call.
for (const name of ["getRandomValues", "randomUUID"]) {
  refuse(globalThis.crypto, name, `a plugin has no secrets of its own: crypto.${name} cannot be used`);
}
for (const name of ["setTimeout", "setInterval"]) {
  refuse(globalThis, name, `a hook cannot wait: ${name} cannot be used`);
}
refuse(globalThis, "fetch", "a plugin sends requests by `http` of @servicewright/sdk: fetch cannot be used");

function refuse(of, name, message) {
  Object.defineProperty(of, name, {
    value: () => {
      throw new Error(message);
    },
  });
}
