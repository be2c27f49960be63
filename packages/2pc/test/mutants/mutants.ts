/**
 * Faults that somebody could make, as edits of the source: each takes away one rule of `docs/spec/2pc.md`, and the
 * exploration must find out. `find` occurs exactly once in `file`. `mutants.test.ts` runs them.
 */
export interface Mutant {
  readonly rule: string;
  readonly description: string;
  /** The small world that shows it. */
  readonly world: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const TABLE = "outcome-table.ts";
const RULES = "outcome-rules.ts";
const COORDINATOR = "coordinator.ts";

export const MUTANTS: readonly Mutant[] = [
  {
    rule: "TP-2",
    description: "home lets an abort overwrite a commit",
    world: "one participant, twins",
    file: RULES,
    find: 'decideAborted: "answerHome"',
    replace: 'decideAborted: "settle"',
  },
  {
    rule: "TP-2",
    description: "home lets a commit overwrite an abort",
    world: "two participants, twins",
    file: RULES,
    find: `aborted: {
    prepare: "answer",
    commit: "answer"`,
    replace: `aborted: {
    prepare: "answer",
    commit: "certify"`,
  },
  {
    rule: "TP-2",
    description: "an outcome frees nothing",
    world: "two participants, twins",
    file: TABLE,
    find: '{ kind: "free", request: prepared.request }',
    replace: '{ kind: "none" }',
  },
  {
    rule: "TP-3",
    description: "home commits what has expired there",
    world: "two participants, home's floor",
    file: RULES,
    find: `expired: {
    prepare: "answer",
    commit: "answer",
    decideCommitted: "answer"`,
    replace: `expired: {
    prepare: "answer",
    commit: "answer",
    decideCommitted: "settle"`,
  },
  {
    rule: "TP-4",
    description: "a second prepare is certified again",
    world: "two participants, twins",
    file: RULES,
    find: `prepared: {
    prepare: "answer"`,
    replace: `prepared: {
    prepare: "certify"`,
  },
  {
    rule: "TP-4",
    description: "a prepare after the abort is certified",
    world: "two participants, twins",
    file: RULES,
    find: `aborted: {
    prepare: "answer"`,
    replace: `aborted: {
    prepare: "certify"`,
  },
  {
    rule: "TP-4",
    description: "a second one-participant commit is certified again",
    world: "one participant, twins",
    file: RULES,
    find: `committed: {
    prepare: "answer",
    commit: "answer"`,
    replace: `committed: {
    prepare: "answer",
    commit: "certify"`,
  },
  {
    rule: "TP-5",
    description: "an expired prepare is certified",
    world: "two participants, the other's floor",
    file: RULES,
    find: `expired: {
    prepare: "answer"`,
    replace: `expired: {
    prepare: "certify"`,
  },
  {
    rule: "TP-5",
    description: "an id at the floor is not expired",
    world: "one participant, twins",
    file: TABLE,
    find: 'entry?.state ?? (id.birth <= this.#floor ? "expired" : "unknown")',
    replace: 'entry?.state ?? (id.birth < this.#floor ? "expired" : "unknown")',
  },
  {
    rule: "TP-6",
    description: "participants are told to commit before home has decided",
    world: "two participants, twins",
    file: COORDINATOR,
    find: 'return enter(task, { phase: "deciding", proposal: { kind: "vote", votes: merged }, doubted: false });',
    replace: 'return conclude(task, { kind: "committed", value: merged });',
  },
  {
    rule: "TP-7",
    description: "home is asked to commit with one vote missing",
    world: "three participants",
    file: COORDINATOR,
    find: "votes.size < others.length",
    replace: "votes.size < others.length - 1",
  },
  {
    rule: "TP-7",
    description: "home commits without the value of the other votes",
    world: "two participants, twins",
    file: COORDINATOR,
    find: "votes: merged }, doubted",
    replace: "votes: undefined }, doubted",
  },
  {
    rule: "TP-9",
    description: "home, which votes and commits at once, does not wait for acknowledgements",
    world: "two participants, twins",
    file: TABLE,
    find: "const unacknowledged = participants.filter((other) => other !== this.self);",
    replace: "const unacknowledged = participants.filter((other) => other < 0);",
  },
  {
    rule: "TP-8",
    description: "another participant's outcome is taken for home's",
    world: "two participants, home's floor",
    file: COORDINATOR,
    find: "if (from === task.id.home) return conclude(task, status);",
    replace: "if (from >= 0) return conclude(task, status);",
  },
  {
    rule: "TP-8",
    description: "an abort is told before home's log holds it",
    world: "one participant, twins",
    file: COORDINATOR,
    find: 'timedOut: (task) => proposeAbort(task, { kind: "timeout" })',
    replace: 'timedOut: (task) => conclude(task, { kind: "aborted", reason: { kind: "timeout" } })',
  },
  {
    rule: "TP-8",
    description: "a refusal is taken for a recorded no",
    world: "one participant that refuses, twins",
    file: COORDINATOR,
    find: 'proposeAbort(task, { kind: "refused", participant: from, reason: status.reason }, doubted)',
    replace: 'conclude(task, { kind: "aborted", reason: { kind: "cancelled" } })',
  },
  {
    rule: "TP-8",
    description: "the client is told what was proposed instead of what home recorded",
    world: "one participant, twins",
    file: COORDINATOR,
    find: `deciding: {
    unknown: ignore,
    prepared: ignore,
    committed: hearOutcome,
    aborted: hearOutcome`,
    replace: `deciding: {
    unknown: ignore,
    prepared: ignore,
    committed: (task, state) => conclude(task, state.proposal as { kind: "aborted"; reason: never }),
    aborted: (task, state) => conclude(task, state.proposal as { kind: "aborted"; reason: never })`,
  },
  {
    rule: "TP-9",
    description: "the floor takes what is prepared",
    world: "two participants, home's floor",
    file: TABLE,
    find: "    this.#finished.deleteUpTo(floor);",
    replace: "    this.#finished.deleteUpTo(floor);\n    this.#unfinished.deleteUpTo(floor);",
  },
  {
    rule: "TP-9",
    description: "one acknowledgement counts for all",
    world: "three participants",
    file: COORDINATOR,
    find: "const waiting = state.waiting.filter((participant) => participant !== from);",
    replace:
      "const waiting = state.waiting.filter((participant) => participant < 0 && participant !== from);",
  },
  {
    rule: "TP-10",
    description: "expired takes back a commit",
    world: "two participants, home's floor",
    file: RULES,
    find: `decideAborted: "answerHome",
    decideExpired: "answer"`,
    replace: `decideAborted: "answerHome",
    decideExpired: "settle"`,
  },
  {
    rule: "TP-11",
    description: "recovery waits for a home that never decides",
    world: "two participants, home prepared",
    file: COORDINATOR,
    find: 'timedOut: (task) => proposeAbort(task, { kind: "recovery" })',
    replace: "timedOut: ignore",
  },
  {
    rule: "TP-11",
    description: "what hears that the id has expired at home stays prepared",
    world: "two participants, home's floor",
    file: RULES,
    find: `decideAborted: "settle",
    decideExpired: "settle"`,
    replace: `decideAborted: "settle",
    decideExpired: "answer"`,
  },
  {
    rule: "TP-12",
    description: "recovery believes that a transaction unknown at home is aborted without writing so",
    world: "two participants, twins",
    file: COORDINATOR,
    find: 'unknown: (task) => proposeAbort(task, { kind: "recovery" })',
    replace: 'unknown: (task) => conclude(task, { kind: "aborted", reason: { kind: "recovery" } })',
  },
  {
    rule: "TP-12",
    description: "recovery takes prepared for aborted",
    world: "two participants, home prepared",
    file: COORDINATOR,
    find: `inquiring: {
    unknown: (task) => proposeAbort(task, { kind: "recovery" }),
    prepared: ignore`,
    replace: `inquiring: {
    unknown: (task) => proposeAbort(task, { kind: "recovery" }),
    prepared: (task) => conclude(task, { kind: "aborted", reason: { kind: "recovery" } })`,
  },
  {
    rule: "TP-13",
    description: "an abort of what is unknown leaves nothing",
    world: "two participants, twins",
    file: RULES,
    find: 'decideAborted: "settle",\n    decideExpired: "answer"',
    replace: 'decideAborted: "answer",\n    decideExpired: "answer"',
  },
];
