/**
 * The whole protocol as a finite model: one transaction, two or three participants, several coordinators of it. Every
 * message that was ever sent can be delivered at any later moment, any number of times, or never: that is loss, delay,
 * repetition and reordering in one. A coordinator may crash between any two inputs and begin again.
 *
 * Participants and coordinators run the product's code. What they do depends on little, so each distinct pair of a state and
 * an input is run once and remembered; a state of the world is a handful of numbers.
 */
import type { Task } from "../../src/coordinator-state.ts";
import type { ParticipantId, TransactionId } from "../../src/transaction-id.ts";
import { begin, coordinatorKey, DEAD, type ModelInput, type ModelStep, step } from "./coordinator-model.ts";
import type { Model } from "./explorer.ts";
import { heal } from "./heal.ts";
import { BitInterner, Interner, remembered } from "./interner.ts";
import {
  applyRequest,
  FRESH,
  type ModelRequest,
  type ModelStatus,
  type ModelVote,
  type ParticipantState,
  raiseFloor,
} from "./participant-model.ts";
import { agreementProblem, reportProblem } from "./verdict.ts";

export interface Configuration {
  /** How each participant votes; the first is home. A yes carries the participant's number plus one. */
  readonly votes: readonly ("yes" | "no" | "refused")[];
  /** Coordinators that begin with the first phase: twins, or a client that retries. */
  readonly coordinators: number;
  /** Coordinators that begin by asking home. */
  readonly recoverers: number;
  /** The participants whose floors may pass the transaction. */
  readonly floors: readonly ParticipantId[];
  /** Whether home may be asked to prepare, as it was before it voted last: its log may hold that. */
  readonly mayPrepareHome?: boolean;
}

/** What matters of the world's state: numbers given out by the world, and sets as bit masks. */
export interface WorldState {
  readonly participants: readonly number[];
  readonly coordinators: readonly number[];
  readonly requests: number;
  readonly answers: number;
  readonly reports: number;
}

interface Sent {
  readonly to: ParticipantId;
  readonly request: ModelRequest;
}

interface Answer {
  readonly from: ParticipantId;
  readonly status: ModelStatus;
}

const ID: TransactionId = { birth: 5, random: 1, home: 0 };

export class World implements Model<WorldState> {
  readonly initial: WorldState;
  readonly #configuration: Configuration;
  readonly #task: Task<null, number>;
  readonly #votes: readonly ModelVote[];
  readonly #participants = new Interner<ParticipantState>();
  readonly #coordinators = new Interner<ModelStep["state"]>();
  readonly #inputs = new Interner<ModelInput>();
  readonly #requests = new BitInterner<Sent>();
  readonly #answers = new BitInterner<Answer>();
  readonly #reports = new BitInterner<string>();

  constructor(configuration: Configuration) {
    const { votes, coordinators, recoverers } = configuration;
    const participants = votes.map((_, participant) => participant);
    this.#configuration = configuration;
    this.#votes = votes.map(
      (kind, participant): ModelVote =>
        kind === "yes" ? { kind, value: participant + 1 } : { kind, reason: "busy" },
    );
    this.#task = {
      id: ID,
      participants,
      requests: new Map(participants.map((participant) => [participant, null])),
      merge: Math.max,
    };
    const dead = this.#coordinators.number(DEAD, coordinatorKey(DEAD));
    const fresh = this.#participants.number(FRESH);
    this.initial = {
      participants: participants.map(() => fresh),
      coordinators: new Array<number>(coordinators + recoverers).fill(dead),
      requests: configuration.mayPrepareHome === true ? this.#prepareHome() : 0,
      answers: 0,
      reports: 0,
    };
  }

  key({ participants, coordinators, requests, answers, reports }: WorldState): string {
    return `${participants.join()} ${coordinators.join()} ${requests} ${answers} ${reports}`;
  }

  *steps(state: WorldState): Generator<{ readonly label: string; readonly next: WorldState }> {
    for (const [index] of state.coordinators.entries()) yield* this.#coordinatorSteps(state, index);
    for (const sent of this.#requests.members(state.requests)) {
      yield { label: `${sent.to} <- ${describe(sent.request)}`, next: this.#deliver(state, sent) };
    }
    for (const participant of this.#configuration.floors) {
      const after = this.#afterFloor(participant, state.participants[participant]!);
      yield { label: `floor of ${participant}`, next: withParticipant(state, participant, after) };
    }
  }

  /** What clients have been told. */
  reportsOf(state: WorldState): readonly string[] {
    return [...this.#reports.members(state.reports)];
  }

  check(state: WorldState): string | undefined {
    const participants = state.participants.map((number) => this.#participants.value(number));
    return (
      agreementProblem(ID, participants, this.#votes) ??
      reportProblem(participants, this.reportsOf(state)) ??
      this.#healProblem(...state.participants)
    );
  }

  #prepareHome(): number {
    const { participants } = this.#task;
    return this.#requests.bit({
      to: ID.home,
      request: { kind: "prepare", id: ID, participants, request: null },
    });
  }

  readonly #healProblem = remembered((...numbers: number[]) =>
    heal(
      this.#task,
      this.#votes,
      numbers.map((number) => this.#participants.value(number)),
    ),
  );

  *#coordinatorSteps(state: WorldState, index: number) {
    const number = state.coordinators[index]!;
    const name = `${index < this.#configuration.coordinators ? "coordinator" : "recoverer"} ${index}`;
    if (this.#coordinators.value(number).phase === "done") {
      yield { label: `${name} begins`, next: this.#follow(state, index, this.#begun(index)) };
      return;
    }
    yield { label: `${name} crashes`, next: withCoordinator(state, index, this.initial.coordinators[0]!) };
    const inputs: ModelInput[] = [{ kind: "timedOut" }, { kind: "cancelled" }];
    for (const answer of this.#answers.members(state.answers)) inputs.push({ kind: "answered", ...answer });
    for (const input of inputs) {
      const next = this.#follow(state, index, this.#stepped(number, this.#inputs.number(input)));
      yield { label: `${name} <- ${JSON.stringify(input)}`, next };
    }
  }

  readonly #begun = remembered((index: number) =>
    begin(this.#task, index < this.#configuration.coordinators ? "transaction" : "recovery"),
  );

  readonly #stepped = remembered((coordinator: number, input: number) =>
    step(this.#task, this.#coordinators.value(coordinator), this.#inputs.value(input)),
  );

  readonly #applied = remembered((participant: number, state: number, sent: number) => {
    const before = this.#participants.value(state);
    const { request } = this.#requests.value(sent);
    const { after, status } = applyRequest(participant, this.#votes[participant]!, before, request);
    return {
      after: this.#participants.number(after),
      answer: this.#answers.bit({ from: participant, status }),
    };
  });

  readonly #afterFloor = remembered((participant: number, state: number) =>
    this.#participants.number(raiseFloor(participant, this.#participants.value(state), ID)),
  );

  #deliver(state: WorldState, sent: Sent): WorldState {
    const { to } = sent;
    const { after, answer } = this.#applied(to, state.participants[to]!, this.#requests.number(sent));
    return { ...withParticipant(state, to, after), answers: state.answers | answer };
  }

  /** Puts a coordinator's step into effect. */
  #follow(state: WorldState, index: number, { state: next, effects }: ModelStep): WorldState {
    let { requests, reports } = state;
    for (const effect of effects) {
      if (effect.kind === "send") requests |= this.#requests.bit({ to: effect.to, request: effect.request });
      else if (index < this.#configuration.coordinators) reports |= this.#reports.bit(effect.result.kind);
    }
    const number = this.#coordinators.number(next, coordinatorKey(next));
    return { ...withCoordinator(state, index, number), requests, reports };
  }
}

function withParticipant(state: WorldState, participant: ParticipantId, number: number): WorldState {
  return { ...state, participants: state.participants.with(participant, number) };
}

function withCoordinator(state: WorldState, index: number, number: number): WorldState {
  return { ...state, coordinators: state.coordinators.with(index, number) };
}

function describe(request: ModelRequest): string {
  return request.kind === "decide" ? `decide ${request.outcome.kind}` : request.kind;
}
