/**
 * The coordinator: collects the votes of all but home, has home vote and decide, answers the client, tells the others. It has no log: what it knows
 * dies with it, and whoever finds the transaction in doubt finishes it as a coordinator that begins by asking home.
 * Several may work on one transaction at once, since home's log takes the first outcome and answers all with it.
 *
 * - TP-6 Participants other than home are sent only an outcome that was read from home's applied state.
 * - TP-7 Home is asked to commit only with the votes of all the others, and the commit carries the merged value of all.
 * - TP-8 The client is told only what home's log holds.
 *
 * Timeless: `retry` and `timedOut` may come at any moment and are safe then. `paced-coordinator.ts` says when they do.
 */
import type {
  CoordinatorEffect,
  CoordinatorInput,
  CoordinatorState,
  CoordinatorStep,
  Proposal,
  Task,
} from "./coordinator-state.ts";
import { InvariantViolation } from "./errors.ts";
import type { Request } from "./message.ts";
import type { AbortReason, Outcome, Status, StatusKind } from "./status.ts";
import { formatTransactionId, type ParticipantId } from "./transaction-id.ts";

type Phase = CoordinatorState<unknown, unknown>["phase"];
type Event = StatusKind | Exclude<CoordinatorInput<unknown, unknown>["kind"], "answered">;

type StateIn<Ph extends Phase, V, R> = Extract<CoordinatorState<V, R>, { phase: Ph }>;
type InputOf<E extends Event, V, R> = E extends StatusKind
  ? {
      readonly kind: "answered";
      readonly from: ParticipantId;
      readonly status: Extract<Status<V, R>, { kind: E }>;
    }
  : Extract<CoordinatorInput<V, R>, { kind: E }>;

type Rule<Ph extends Phase, E extends Event> = <P, V, R>(
  task: Task<P, V>,
  state: StateIn<Ph, V, R>,
  input: InputOf<E, V, R>,
) => CoordinatorStep<P, V, R>;

/**
 * What happens in each phase on each input; a missing cell does not compile. Answers from where the phase expects none have
 * been dropped before. Most of what is ignored is an answer that comes late or twice.
 */
const RULES: { readonly [Ph in Phase]: { readonly [E in Event]: Rule<Ph, E> } } = {
  preparing: {
    unknown: ignore,
    prepared: countVote,
    committed: hearOutcome,
    aborted: hearOutcome,
    expired: hearOutcome,
    refused: hearRefusal,
    retry: resend,
    timedOut: (task) => proposeAbort(task, { kind: "timeout" }),
    cancelled: (task) => proposeAbort(task, { kind: "cancelled" }),
  },
  inquiring: {
    unknown: (task) => proposeAbort(task, { kind: "recovery" }),
    prepared: ignore,
    committed: hearOutcome,
    aborted: hearOutcome,
    expired: hearOutcome,
    refused: ignore,
    retry: resend,
    timedOut: (task) => proposeAbort(task, { kind: "recovery" }),
    cancelled: ignore,
  },
  deciding: {
    unknown: ignore,
    prepared: ignore,
    committed: hearOutcome,
    aborted: hearOutcome,
    expired: hearOutcome,
    refused: hearRefusal,
    retry: resend,
    timedOut: doubt,
    cancelled: ignore,
  },
  completing: {
    unknown: ignore,
    prepared: ignore,
    committed: countApplied,
    aborted: countApplied,
    expired: countApplied,
    refused: ignore,
    retry: resend,
    // Whoever finds what is left prepared finishes it.
    timedOut: () => ({ state: { phase: "done" }, effects: [] }),
    cancelled: ignore,
  },
  done: {
    unknown: ignore,
    prepared: ignore,
    committed: ignore,
    aborted: ignore,
    expired: ignore,
    refused: ignore,
    retry: ignore,
    timedOut: ignore,
    cancelled: ignore,
  },
};

/** Begins a transaction: asks all participants but home to prepare; where home is the only one, asks it to commit. */
export function beginTransaction<P, V, R>(task: Task<P, V>): CoordinatorStep<P, V, R> {
  return enter(task, { phase: "preparing", votes: new Map() });
}

/** Begins to finish a transaction that somebody found in doubt: asks home. */
export function beginRecovery<P, V, R>(task: Task<P, V>): CoordinatorStep<P, V, R> {
  return enter(task, { phase: "inquiring" });
}

/** The next state, and what to do. Equal states and inputs give equal steps. */
export function stepCoordinator<P, V, R>(
  task: Task<P, V>,
  state: CoordinatorState<V, R>,
  input: CoordinatorInput<V, R>,
): CoordinatorStep<P, V, R> {
  if (input.kind === "answered" && !expectsAnswer(task, state, input.from)) return { state, effects: [] };
  const event = input.kind === "answered" ? input.status.kind : input.kind;
  // The table has a rule of the right type for each pair; the compiler cannot see that state and event are that pair.
  const rule = RULES[state.phase][event] as Rule<Phase, Event>;
  return rule<P, V, R>(task, state, input as InputOf<Event, V, R>);
}

/** While votes are collected everybody's answer counts, afterwards home's until it has decided, then the others'. */
function expectsAnswer<P, V, R>(
  task: Task<P, V>,
  state: CoordinatorState<V, R>,
  from: ParticipantId,
): boolean {
  if (!task.participants.includes(from)) return false;
  return state.phase === "preparing" || (from === task.id.home) === (state.phase !== "completing");
}

function ignore<P, V, R>(_: Task<P, V>, state: CoordinatorState<V, R>): CoordinatorStep<P, V, R> {
  return { state, effects: [] };
}

function resend<P, V, R>(task: Task<P, V>, state: CoordinatorState<V, R>): CoordinatorStep<P, V, R> {
  return enter(task, state);
}

/** Enters a state: sends all that it waits for. */
function enter<P, V, R>(task: Task<P, V>, state: CoordinatorState<V, R>): CoordinatorStep<P, V, R> {
  return { state, effects: requests(task, state) };
}

/** What a state waits for is a function of the state, so that asking again needs no memory of what was sent. */
function requests<P, V, R>(task: Task<P, V>, state: CoordinatorState<V, R>): CoordinatorEffect<P, V, R>[] {
  const { id, participants } = task;
  const send = (to: ParticipantId, request: Request<P, V, R>) => ({ kind: "send", to, request }) as const;
  switch (state.phase) {
    case "preparing":
      if (participants.length === 1)
        return [send(id.home, proposed(task, { kind: "vote", votes: undefined }))];
      return participants
        .filter((participant) => participant !== id.home && !state.votes.has(participant))
        .map((to) => send(to, { kind: "prepare", id, participants, request: task.requests.get(to)! }));
    case "inquiring":
      return [send(id.home, { kind: "inquire", id })];
    case "deciding":
      return [send(id.home, proposed(task, state.proposal))];
    case "completing":
      return state.waiting.map((to) => send(to, { kind: "decide", id, outcome: state.outcome }));
    case "done":
      return [];
  }
}

/** A proposal as home is asked. */
function proposed<P, V, R>(
  { id, participants, requests }: Task<P, V>,
  proposal: Proposal<V, R>,
): Request<P, V, R> {
  if (proposal.kind !== "vote") return { kind: "decide", id, outcome: proposal };
  return { kind: "commit", id, participants, request: requests.get(id.home)!, votes: proposal.votes };
}

function countVote<P, V, R>(
  task: Task<P, V>,
  state: StateIn<"preparing", V, R>,
  { from, status }: InputOf<"prepared", V, R>,
): CoordinatorStep<P, V, R> {
  // Home votes last. That it is prepared is not a vote that anybody here has asked for.
  if (from === task.id.home) return { state, effects: [] };
  const votes = new Map(state.votes).set(from, status.value);
  const others = task.participants.filter((participant) => participant !== task.id.home);
  if (votes.size < others.length) return { state: { phase: "preparing", votes }, effects: [] };
  const merged = others.map((other) => votes.get(other) as V).reduce((a, b) => task.merge(a, b));
  return enter(task, { phase: "deciding", proposal: { kind: "vote", votes: merged }, doubted: false });
}

/** Nothing was recorded where a request was refused, so an abort is proposed; home may have decided meanwhile. */
function hearRefusal<P, V, R>(
  task: Task<P, V>,
  state: StateIn<"preparing" | "deciding", V, R>,
  { from, status }: InputOf<"refused", V, R>,
): CoordinatorStep<P, V, R> {
  if (state.phase === "deciding" && state.proposal.kind !== "vote") return { state, effects: [] };
  const doubted = state.phase === "deciding" && state.doubted;
  return proposeAbort(task, { kind: "refused", participant: from, reason: status.reason }, doubted);
}

function proposeAbort<P, V, R>(
  task: Task<P, V>,
  reason: AbortReason<R>,
  doubted = false,
): CoordinatorStep<P, V, R> {
  return enter(task, { phase: "deciding", proposal: { kind: "aborted", reason }, doubted });
}

/** Home's outcome stands. Another participant's is true as well, but only home's log may be believed: propose it there. */
function hearOutcome<P, V, R>(
  task: Task<P, V>,
  _: CoordinatorState<V, R>,
  { from, status }: InputOf<"committed" | "aborted" | "expired", V, R>,
): CoordinatorStep<P, V, R> {
  if (from === task.id.home) return conclude(task, status);
  if (status.kind === "expired") return proposeAbort(task, { kind: "expired", participant: from });
  return enter(task, { phase: "deciding", proposal: status, doubted: false });
}

/** Tells the client, and then the other participants. */
function conclude<P, V, R>(task: Task<P, V>, outcome: Outcome<V, R>): CoordinatorStep<P, V, R> {
  const waiting = task.participants.filter((participant) => participant !== task.id.home);
  const report: CoordinatorEffect<P, V, R> = { kind: "report", result: outcome };
  if (waiting.length === 0) return { state: { phase: "done" }, effects: [report] };
  const { state, effects } = enter<P, V, R>(task, { phase: "completing", outcome, waiting });
  return { state, effects: [report, ...effects] };
}

/** The first time, the client hears that the outcome is in doubt; the second time, it is left to recovery. */
function doubt<P, V, R>(_: Task<P, V>, state: StateIn<"deciding", V, R>): CoordinatorStep<P, V, R> {
  if (state.doubted) return { state: { phase: "done" }, effects: [] };
  return { state: { ...state, doubted: true }, effects: [{ kind: "report", result: { kind: "inDoubt" } }] };
}

/** Once all have applied a commit, home may know it (TP-9). If that is lost, home's own recovery comes back to it. */
function countApplied<P, V, R>(
  task: Task<P, V>,
  state: StateIn<"completing", V, R>,
  { from, status }: InputOf<"committed" | "aborted" | "expired", V, R>,
): CoordinatorStep<P, V, R> {
  const { id, participants } = task;
  const { outcome } = state;
  assertAgreement(task, outcome, from, status);
  const waiting = state.waiting.filter((participant) => participant !== from);
  if (waiting.length > 0) return { state: { phase: "completing", outcome, waiting }, effects: [] };
  if (outcome.kind !== "committed") return { state: { phase: "done" }, effects: [] };
  const others = participants.filter((participant) => participant !== id.home);
  return {
    state: { phase: "done" },
    effects: [{ kind: "send", to: id.home, request: { kind: "acknowledge", id, participants: others } }],
  };
}

/**
 * TP-1: nobody's outcome is another than home's. An expired participant had applied the outcome before it forgot it: what
 * is prepared is not forgotten (TP-9), and a commit was prepared everywhere.
 */
function assertAgreement<P, V, R>(
  task: Task<P, V>,
  outcome: Outcome<V, R>,
  from: ParticipantId,
  status: Outcome<V, R>,
): void {
  if (status.kind === outcome.kind || status.kind === "expired" || outcome.kind === "expired") return;
  const id = formatTransactionId(task.id);
  throw new InvariantViolation("TP-1", `${id} is ${outcome.kind} at home and ${status.kind} at ${from}`);
}
