// What an integration may ask the server to do. Commands run in order; the first that is refused ends
// the list. Each is safe to repeat.
//
// A `subject` is a record: by its number, such as "INC-1042", or as `{ reference }` by a name that
// this binding gave it for the outside world. The last argument may say `onBehalfOf`: the person who
// said so out there, for a binding granted `act-as`.

/** Creates a record of a workflow, perhaps under a `reference`: if one has it already, it stands. */
export function create(workflow, fields, { reference = null, onBehalfOf = null } = {}) {
  return { action: "create", workflow, fields, reference, onBehalfOf };
}

/** Takes a transition, whose form is given this input. */
export function transition(subject, name, input = {}, { onBehalfOf = null } = {}) {
  return { action: "transition", subject, name, input, onBehalfOf };
}

/** Gives fields new values. */
export function update(subject, fields, { onBehalfOf = null } = {}) {
  return { action: "update", subject, fields, onBehalfOf };
}

/** Hands a record to a team, and perhaps to somebody in it. */
export function assign(subject, { team, assignee = null }, { onBehalfOf = null } = {}) {
  return { action: "assign", subject, team, assignee, onBehalfOf };
}

/** Votes on a record, for or against. */
export function vote(subject, { approves, reason = null }, { onBehalfOf = null } = {}) {
  return { action: "vote", subject, approves, reason, onBehalfOf };
}

/** Says something about a record: to its agents, and with `public` to its requester too. */
export function comment(subject, text, { public: seen = false, onBehalfOf = null } = {}) {
  return { action: "comment", subject, text, public: seen, onBehalfOf };
}

/** Links a record to another, by a kind of link that its workflow defines. */
export function link(subject, kind, target, { onBehalfOf = null } = {}) {
  return { action: "link", subject, kind, target, onBehalfOf };
}

/** Gives a record one more reference, together with the other commands of the call. */
export function refer(subject, reference, { onBehalfOf = null } = {}) {
  return { action: "refer", subject, reference, onBehalfOf };
}
