/**
 * Outcomes of transactions whose home is elsewhere, on their way into the log of a shard. The clients of such a transaction have been told, and
 * nobody waits for what it holds here but who needs it: so an outcome goes in right before what is proposed here next, in the same message
 * and the same write, or with a beat that all shards of a node share. Where somebody waits for a change of the shard, it goes in at once.
 *
 * Invariants: what was noted is proposed before anything that is proposed later, and within `BEAT_MS` where time goes by; several notes of
 * one transaction are proposed once.
 */
import { type TransactionId, TransactionMap } from "@khonsu/2pc";
import type { Runtime } from "@khonsu/core";
import { encodeCommand } from "./codec/command-codec.ts";
import type { Consensus, ConsensusStatus } from "./consensus.ts";
import type { CommitRequest } from "./messages.ts";
import type { ShardLog } from "./shard-log.ts";

export type Decision = Extract<CommitRequest, { kind: "decide" }>;

/** How long an outcome waits at most, in milliseconds: beats are at whole multiples of this by the clock of the runtime. */
const BEAT_MS = 10;

class Waiting {
  readonly decision: Decision;
  resolve: (applied: unknown) => void = () => {};
  reject: (error: unknown) => void = () => {};
  readonly applied: Promise<unknown>;

  constructor(decision: Decision) {
    this.decision = decision;
    this.applied = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

export interface DecisionsOptions {
  readonly log: Pick<ShardLog, "isAwaited" | "whenAwaited">;
  readonly consensus: Consensus;
  readonly runtime: Runtime;
}

/** The replicated log of a shard for all who propose to it: what they propose takes along the outcomes that wait. */
export class Decisions implements Consensus {
  readonly #log: DecisionsOptions["log"];
  readonly #consensus: Consensus;
  readonly #runtime: Runtime;
  #waiting = new TransactionMap<Waiting>();
  #isBeating = false;

  constructor({ consensus, log, runtime }: DecisionsOptions) {
    this.#log = log;
    this.#consensus = consensus;
    this.#runtime = runtime;
    log.whenAwaited(() => this.#flush());
  }

  propose(command: Uint8Array): Promise<unknown> {
    this.#flush();
    return this.#consensus.propose(command);
  }

  readBarrier(): Promise<void> {
    return this.#consensus.readBarrier();
  }

  status(): ConsensusStatus {
    return this.#consensus.status();
  }

  /** Resolves as `propose` does, once the outcome is applied here. */
  note(decision: Decision): Promise<unknown> {
    const known = this.#waiting.get(decision.id);
    if (known !== undefined) return known.applied;
    // Only who leads knows what else is proposed.
    if (this.#log.isAwaited || !this.status().isLeader) return this.propose(encodeCommand(decision));
    const waiting = new Waiting(decision);
    this.#waiting.set(decision.id, waiting);
    this.#awaitBeat();
    return waiting.applied;
  }

  /** As `note`, for somebody who cannot go on before it is applied. */
  hurry(decision: Decision): Promise<unknown> {
    const applied = this.note(decision);
    this.#flush();
    return applied;
  }

  /** The outcome of a transaction that waits here. It was read from home's applied state (TX-14). */
  outcomeOf(id: TransactionId): Decision["outcome"] | undefined {
    return this.#waiting.get(id)?.decision.outcome;
  }

  #flush(): void {
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new TransactionMap();
    for (const { decision, reject, resolve } of waiting.values())
      this.#consensus.propose(encodeCommand(decision)).then(resolve, reject);
  }

  #awaitBeat(): void {
    if (this.#isBeating) return;
    this.#isBeating = true;
    const now = this.#runtime.now();
    const beat = (Math.floor(now / BEAT_MS) + 1) * BEAT_MS;
    this.#runtime.schedule(Math.ceil(beat - now), () => {
      this.#isBeating = false;
      this.#flush();
    });
  }
}
