/**
 * A coordinator with a sense of time: it turns ticks into `retry` and `timedOut`. Retries of one phase come after pauses
 * that double and vary, so that coordinators of one transaction do not stay in step. Nothing rests on the pace but how soon
 * things are done: the rules in `coordinator.ts` are safe with every timing.
 */
import { beginRecovery, beginTransaction, stepCoordinator } from "./coordinator.ts";
import type {
  CoordinatorEffect,
  CoordinatorInput,
  CoordinatorState,
  CoordinatorStep,
  Task,
} from "./coordinator-state.ts";
import { Jitter } from "./jitter.ts";
import { type PaceOptions, paceOptions } from "./options.ts";
import { checkParticipants } from "./request-check.ts";
import type { Status } from "./status.ts";
import { checkTransactionId, formatTransactionId, type ParticipantId } from "./transaction-id.ts";

/** How to begin: with the first phase, or by asking home about a transaction found in doubt. */
export type Beginning = "transaction" | "recovery";

export interface PacedCoordinatorOptions extends Partial<PaceOptions> {
  /** What the jitter is drawn from: any number, a different one for each coordinator. */
  readonly seed: number;
  /** In the place of all the other options: what `paceOptions` made of them, for who has many coordinators. */
  readonly pace?: PaceOptions;
}

export class PacedCoordinator<P, V, R> {
  readonly task: Task<P, V>;
  readonly #pace: PaceOptions;
  readonly #jitter: Jitter;
  #state: CoordinatorState<V, R> = { phase: "done" };
  #ticksInPhase = 0;
  #pause = 0;
  #retryAt = 0;

  /** @throws RangeError if the task or an option is out of range */
  constructor(task: Task<P, V>, options: PacedCoordinatorOptions) {
    checkTransactionId(task.id);
    checkParticipants(task.id, task.participants);
    const { seed, pace, ...single } = options;
    this.task = task;
    this.#pace = pace ?? paceOptions(single);
    this.#jitter = new Jitter(seed);
  }

  /** What it is doing, for people, metrics and tests. */
  get state(): CoordinatorState<V, R> {
    return this.#state;
  }

  /**
   * Starts. Call it once, and carry out the effects of this and each later call.
   *
   * @throws RangeError if a transaction begins without a request for each participant
   */
  begin(how: Beginning): readonly CoordinatorEffect<P, V, R>[] {
    if (how === "recovery") return this.#enter(beginRecovery<P, V, R>(this.task));
    for (const participant of this.task.participants) {
      if (!this.task.requests.has(participant)) {
        const id = formatTransactionId(this.task.id);
        throw new RangeError(`Transaction ${id} has no request for participant ${participant}`);
      }
    }
    return this.#enter(beginTransaction<P, V, R>(this.task));
  }

  /** A participant has answered. Answers to other coordinators of the same transaction may come in as well. */
  answered(from: ParticipantId, status: Status<V, R>): readonly CoordinatorEffect<P, V, R>[] {
    return this.#step({ kind: "answered", from, status });
  }

  /** The client gives up. */
  cancel(): readonly CoordinatorEffect<P, V, R>[] {
    return this.#step({ kind: "cancelled" });
  }

  tick(): readonly CoordinatorEffect<P, V, R>[] {
    this.#ticksInPhase += 1;
    if (this.#ticksInPhase === this.#timeoutTicks()) return this.#step({ kind: "timedOut" });
    if (this.#ticksInPhase < this.#retryAt) return [];
    this.#schedule(Math.min(this.#pause * 2, this.#pace.retryTicksMax));
    return this.#step({ kind: "retry" });
  }

  #step(input: CoordinatorInput<V, R>): readonly CoordinatorEffect<P, V, R>[] {
    return this.#enter(stepCoordinator<P, V, R>(this.task, this.#state, input));
  }

  #enter({ state, effects }: CoordinatorStep<P, V, R>): readonly CoordinatorEffect<P, V, R>[] {
    const samePhase = state.phase === this.#state.phase;
    this.#state = state;
    if (!samePhase) {
      this.#ticksInPhase = 0;
      this.#schedule(this.#pace.retryTicks);
    }
    return effects;
  }

  #schedule(pause: number): void {
    this.#pause = pause;
    this.#retryAt = this.#ticksInPhase + this.#jitter.around(pause);
  }

  /** When the phase has taken too long. Every phase ends, so a coordinator ends by itself even if nobody answers. */
  #timeoutTicks(): number {
    const { prepareTimeoutTicks, inquireTimeoutTicks, decideTimeoutTicks, completeTimeoutTicks } = this.#pace;
    switch (this.#state.phase) {
      case "preparing":
        return prepareTimeoutTicks;
      case "inquiring":
        return inquireTimeoutTicks;
      case "deciding":
        return this.#state.doubted ? decideTimeoutTicks + completeTimeoutTicks : decideTimeoutTicks;
      case "completing":
        return completeTimeoutTicks;
      case "done":
        return Number.POSITIVE_INFINITY;
    }
  }
}
