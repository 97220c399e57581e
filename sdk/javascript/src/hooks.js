// The hooks: what each is called in the contract, what it is asked and how its answer is held to it.

import * as answer from "./answer.js";
import * as question from "./question.js";

/** By name: the contract's function, what reads its arguments, and what writes its answer. */
export const HOOKS = {
  approval: {
    export: "decide",
    read: [question.call, question.record, question.approvalRequest],
    write: answer.verdict,
  },
  routing: { export: "route", read: [question.call, question.record], write: answer.assignment },
  "service-level": {
    export: "targets",
    read: [question.call, question.record, question.agreement],
    write: answer.targets,
  },
  delivery: { export: "deliver", read: [question.call, question.event], write: answer.commands },
  webhook: { export: "receive", read: [question.call, question.httpRequest], write: answer.reply },
  schedule: { export: "run", read: [question.call], write: answer.commands },
};

/** Where a hook keeps the author's function, for the component. */
const AUTHORS = Symbol("the author's function");

/**
 * Makes what the author exports of a function: called in a test, it answers what the function
 * answers, and throws where that is not what the contract has.
 */
export function hook(name) {
  const { write } = HOOKS[name];
  return (answers) => {
    if (typeof answers !== "function") {
      throw new TypeError(`the hook \`${name}\` is made of a function`);
    }
    const checked = (...given) =>
      then(answers(...given), (answered) => {
        write(answered);
        return answered;
      });
    return Object.assign(checked, { [AUTHORS]: answers });
  };
}

/** The author's function of what a plugin exports, which may be that function itself. */
export function authors(exported) {
  return exported[AUTHORS] ?? exported;
}

/** Goes on with an answer, which may be a promise. */
export function then(answered, next) {
  return typeof answered?.then === "function" ? answered.then(next) : next(answered);
}
