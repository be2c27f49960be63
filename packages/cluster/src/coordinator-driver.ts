/** Runs coordinators of `@khonsu/2pc`: carries out what they send, feeds what comes back, and keeps their time. */

import {
  type Beginning,
  type CoordinatorEffect,
  PacedCoordinator,
  type PaceOptions,
  paceOptions,
  type Result,
  type TransactionId,
} from "@khonsu/2pc";
import type { Runtime } from "@khonsu/core";
import { CommitsHere, type LedHere } from "./commits-here.ts";
import { Participants, type ParticipantsOptions } from "./participants.ts";
import type { Refusal } from "./shard/refusal.ts";
import { type Commitment, mergeCommitments, type ShardTransaction } from "./shard/transaction.ts";
import type { CommitCoordinator } from "./shard-access.ts";

export type CommitResult = Result<Commitment, Refusal>;

type Effects = readonly CoordinatorEffect<ShardTransaction, Commitment, Refusal>[];

export interface CoordinatorDriverOptions extends ParticipantsOptions {
  readonly ledHere: LedHere & ParticipantsOptions["ledHere"];
  readonly runtime: Runtime;
  /** How long a tick is, in milliseconds. Default 10. */
  readonly tickMs?: number;
  /** Default: as `@khonsu/2pc` has it, but for `retryTicks`, which is 25. */
  readonly pace?: Partial<PaceOptions>;
}

/**
 * A router asks on by itself where a replica does not answer. What a coordinator sends again is for what was lost on the way; sent while the
 * first is only slow, it would cost everybody the same work once more, when there is least to spare.
 */
const RETRY_TICKS = 25;

export class CoordinatorDriver implements CommitCoordinator {
  readonly #options: CoordinatorDriverOptions;
  readonly #pace: PaceOptions;
  readonly #tickMs: number;
  readonly #commitsHere: CommitsHere;
  readonly #participants: Participants;
  /** One step each of the coordinators that are at work; one timer for all. */
  readonly #ticks = new Set<() => void>();
  #isTicking = false;

  constructor(options: CoordinatorDriverOptions) {
    const { ledHere, pace, runtime, tickMs = 10 } = options;
    this.#options = options;
    this.#participants = new Participants(options);
    this.#pace = paceOptions({ retryTicks: RETRY_TICKS, ...pace });
    this.#tickMs = tickMs;
    this.#commitsHere = new CommitsHere(ledHere, runtime, this.#pace.retryTicks * tickMs);
  }

  /**
   * Commits a transaction; resolves with what its home has decided, or `inDoubt`.
   *
   * @param requests by participant, home included.
   */
  commit(id: TransactionId, requests: ReadonlyMap<number, ShardTransaction>): Promise<CommitResult> {
    const coordinate = () => this.#run(id, [...requests.keys()], requests, "transaction");
    const alone = requests.size === 1 ? requests.get(id.home) : undefined;
    return alone === undefined ? coordinate() : this.#commitsHere.commit(id, alone, coordinate);
  }

  /** Finishes a transaction that was found in doubt; resolves with its outcome. */
  recover(id: TransactionId, participants: readonly number[]): Promise<CommitResult> {
    return this.#run(id, participants, new Map(), "recovery");
  }

  #run(
    id: TransactionId,
    participants: readonly number[],
    requests: ReadonlyMap<number, ShardTransaction>,
    beginning: Beginning,
  ): Promise<CommitResult> {
    const { runtime } = this.#options;
    const task = {
      id,
      participants: [...participants].sort((a, b) => a - b),
      requests,
      merge: mergeCommitments,
    };
    const seed = Math.floor(runtime.random() * 2 ** 32);
    const paced = { pace: this.#pace, seed };
    const coordinator = new PacedCoordinator<ShardTransaction, Commitment, Refusal>(task, paced);
    return new Promise((resolve) => {
      const carryOut = (effects: Effects, isAgain: boolean): void => {
        for (const effect of effects) {
          if (effect.kind === "report") resolve(effect.result);
          else {
            const { request, to } = effect;
            // Where nobody answers, the coordinator asks again when its time has come.
            this.#participants.ask(to, request, isAgain, (status) =>
              carryOut(coordinator.answered(to, status), false),
            );
          }
        }
      };
      const tick = (): void => {
        if (coordinator.state.phase === "done") this.#ticks.delete(tick);
        else carryOut(coordinator.tick(), true);
      };
      carryOut(coordinator.begin(beginning), false);
      this.#ticks.add(tick);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isTicking || this.#ticks.size === 0) return;
    this.#isTicking = true;
    this.#options.runtime.schedule(this.#tickMs, () => {
      for (const tick of [...this.#ticks]) tick();
      this.#isTicking = false;
      this.#schedule();
    });
  }
}
