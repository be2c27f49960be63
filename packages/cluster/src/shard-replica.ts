/**
 * A replica of a shard, answering requests: it proposes what goes through the log, and serves reads as soon as its applied
 * state may answer them, helping along what is in the way (transactions.md, "Reading at T", "Deciding and recovering").
 */

import { formatTransactionId, type TransactionId, TransactionMap } from "@khonsu/2pc";
import type { Runtime } from "@khonsu/core";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { Acknowledgements } from "./acknowledgements.ts";
import { type Certification, Certifications } from "./certifications.ts";
import { assertAddressed, encodeCommand } from "./codec/command-codec.ts";
import type { Consensus } from "./consensus.ts";
import { Decisions } from "./decisions.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import type { CommitRequest, ShardAnswer, ShardRequest } from "./messages.ts";
import { jittered } from "./pause.ts";
import { changesAfter } from "./shard/changes.ts";
import type { Command } from "./shard/command.ts";
import { newestIdentities, type ReadResult, readAt, readNewest } from "./shard/read.ts";
import type { Applied, ShardStateMachine, ShardStatus } from "./shard/state-machine.ts";
import { validate } from "./shard/validate.ts";
import type { ShardLog } from "./shard-log.ts";
import { SnapshotLeases } from "./snapshot-leases.ts";
import { type TurnRequest, Turns } from "./turns.ts";

export interface ShardReplicaOptions {
  readonly log: ShardLog;
  readonly consensus: Consensus;
  readonly runtime: Runtime;
  readonly clock: HybridClock;
  /** Asks the home of a transaction, wherever it is. */
  readonly askHome: (id: TransactionId, request: CommitRequest) => Promise<ShardStatus>;
  readonly patience: Patience;
}

/** How long to wait, in milliseconds. */
export interface Patience {
  /** For a read that others are in the way of. Default 5,000. */
  readonly readMs: number;
  /** Between two questions about a transaction that is not decided. Default 10. */
  readonly askAgainMs: number;
  /** For a transaction in the way to be decided, before it is aborted at its home. Default 1,000. */
  readonly inDoubtMs: number;
  /** For the decision of those that hold what a transaction needs, before it is refused. Default 100. */
  readonly lockMs: number;
  /** For a change that somebody waits for, before the answer is "ask again". Default 10,000. */
  readonly changeMs: number;
}

export const DEFAULT_PATIENCE: Patience = {
  readMs: 5000,
  askAgainMs: 10,
  inDoubtMs: 1000,
  lockMs: 100,
  changeMs: 10_000,
};

/** What the homes of transactions in the way have said, for one request. */
class Answers {
  #answers: TransactionMap<ShardStatus> | undefined = undefined;

  note(id: TransactionId, status: ShardStatus): void {
    this.#answers ??= new TransactionMap();
    this.#answers.set(id, status);
  }

  readonly of = (id: TransactionId): ShardStatus | undefined => this.#answers?.get(id);
}

export class ShardReplica {
  /** Of snapshots that are read at for long. */
  readonly leases = new SnapshotLeases();
  readonly turns: Turns;
  readonly #options: ShardReplicaOptions;
  readonly #decisions: Decisions;
  readonly #acknowledgements: Acknowledgements;
  readonly #certifications: Certifications;
  #advancing: { readonly to: CommitTimestamp; readonly done: Promise<void> } | undefined = undefined;

  constructor(options: ShardReplicaOptions) {
    this.#options = options;
    this.turns = new Turns(options.runtime);
    this.#decisions = new Decisions(options);
    const withDecisions = { ...options, consensus: this.#decisions };
    this.#acknowledgements = new Acknowledgements(withDecisions);
    this.#certifications = new Certifications({ ...withDecisions, lockMs: options.patience.lockMs });
  }

  get log(): ShardLog {
    return this.#options.log;
  }

  get consensus(): Consensus {
    return this.#options.consensus;
  }

  /** Answers a request. Never rejects. */
  async serve(request: ShardRequest): Promise<ShardAnswer> {
    try {
      switch (request.kind) {
        case "commit":
          return this.#toAnswer(await this.participate(request.request));
        case "read":
          return await this.#read(request);
        case "identities":
          return await this.#identities(request.keys);
        case "validate":
          return await this.#validate(request);
        case "changes":
          return await this.#changes(request);
        case "awaitChange":
          return await this.#awaitChange(request);
        case "turn":
          return await this.#turn(request.request);
      }
    } catch (error) {
      return { kind: "unavailable", message: error instanceof Error ? error.message : String(error) };
    }
  }

  /**
   * Does what two-phase commit asks of this shard, and tells what is known of the transaction then: undefined if one of its timestamps is
   * too far ahead of the clock. Rejects when that cannot be told, and with ClusterError `KHONSU_ENTRY_MALFORMED` if it is for another shard.
   */
  async participate(request: CommitRequest): Promise<ShardStatus | undefined> {
    const { log, consensus } = this.#options;
    const { id } = request;
    if (request.kind === "inquire") {
      await consensus.readBarrier();
      return log.machine.statusOf(id);
    }
    if (request.kind === "prepare" || request.kind === "commit") return this.certify(request);
    assertAddressed(request, log.shard);
    if (request.kind === "acknowledge") {
      this.#acknowledgements.note(request);
      return log.machine.statusOf(id);
    }
    // Home's log is where a decision is made: only what is decided may wait.
    const deciding = id.home === log.shard ? this.#propose(request) : this.#decisions.note(request);
    const applied = (await deciding) as Applied | undefined;
    // A replica that learned of it in another way has it in its state all the same.
    return applied?.status ?? log.machine.statusOf(id);
  }

  /**
   * Has a transaction certified, as a commit at its home or a prepare elsewhere. Rejects when it cannot be told what became of it.
   *
   * @returns undefined if one of its timestamps is too far ahead of the clock: nothing was proposed
   * @throws ClusterError `KHONSU_ENTRY_MALFORMED` if it is for another shard
   */
  certify(request: Certification): Promise<ShardStatus> | undefined {
    assertAddressed(request, this.#options.log.shard);
    const { proposed, observed, snapshot } = request.request;
    // A birth in the future would outlive every floor, and what is kept of the transaction with it.
    const latest = Math.max(request.id.birth, proposed, observed, snapshot) as CommitTimestamp;
    return this.#admits(latest) ? this.#certifications.submit(request) : undefined;
  }

  #toAnswer(status: ShardStatus | undefined): ShardAnswer {
    const { clock } = this.#options.log.machine;
    return status === undefined ? { kind: "clock-skew", clock } : { kind: "status", status, clock };
  }

  #propose(command: Command): Promise<unknown> {
    return this.#decisions.propose(encodeCommand(command));
  }

  async #identities(keys: readonly string[]): Promise<ShardAnswer> {
    await this.#options.consensus.readBarrier();
    return { kind: "identities", identities: newestIdentities(this.#options.log.machine, keys) };
  }

  async #read({ time, isFresh, request }: Extract<ShardRequest, { kind: "read" }>): Promise<ShardAnswer> {
    const { log, consensus, runtime, patience } = this.#options;
    let isBehindIndex = isFresh || time.kind === "newest";
    if (isBehindIndex) await consensus.readBarrier();
    const at = time.kind === "exact" ? time.timestamp : maximum(log.machine.clock, time.timestamp);
    if (!this.#admits(at)) return { kind: "clock-skew", clock: log.machine.clock };
    // A snapshot that is asked for behind a read index is one that somebody keeps (`lease-renewal.ts`).
    if (isFresh && time.kind === "exact" && at >= log.machine.versions.floor)
      this.leases.renew(at, runtime.now());
    const deadline = runtime.now() + patience.readMs;
    const answers = new Answers();
    for (;;) {
      const { machine } = log;
      const isAtClock = time.kind === "newest" && machine.clock >= at;
      const result = isAtClock
        ? readNewest(machine, request, answers.of)
        : readAt(machine, at, request, answers.of);
      if (result.kind === "read") return { ...result, isNewest: isFresh && isCurrent(machine, result) };
      if (result.kind === "snapshot-too-old") return result;
      if (runtime.now() > deadline) throw new Error("The read waited too long for others");
      if (result.kind === "behind" && !isBehindIndex && !consensus.status().isLeader) {
        // It may just lag, which costs no entry of the log; a leader has applied all that was decided.
        await consensus.readBarrier();
        isBehindIndex = true;
      } else if (result.kind === "behind") await this.#advance(at);
      else
        for (const id of result.holders) await this.#clear(id, at, time.kind === "newest", answers, deadline);
    }
  }

  /**
   * Deals with a prepared transaction that is in the way of a read at `at`: learns its outcome from its home, which is made
   * to abort it after a while, and applies it here unless it does not matter. One that is known here and waits is applied.
   *
   * @param isNewest whether what home has not committed by now is not to be read anyway.
   */
  async #clear(
    id: TransactionId,
    at: CommitTimestamp,
    isNewest: boolean,
    answers: Answers,
    deadline: number,
  ): Promise<void> {
    const { log, runtime, patience, askHome } = this.#options;
    const outcome = this.#decisions.outcomeOf(id);
    if (outcome !== undefined) {
      await this.#decisions.hurry({ kind: "decide", id, outcome });
      return;
    }
    const doubtedFrom = runtime.now();
    for (;;) {
      let status = await askHome(id, { kind: "inquire", id });
      const isOpen = status.kind === "prepared" || status.kind === "unknown";
      if (isOpen && isNewest) return answers.note(id, status);
      if (isOpen && runtime.now() - doubtedFrom > patience.inDoubtMs) {
        const outcome = { kind: "aborted", reason: { kind: "recovery" } } as const;
        status = await askHome(id, { kind: "decide", id, outcome });
      }
      if (status.kind === "aborted") this.#tell(id, status);
      if (status.kind === "aborted" || (status.kind === "committed" && status.value.timestamp > at)) {
        return answers.note(id, status);
      }
      if (status.kind === "committed" || status.kind === "expired") {
        await this.#decisions.hurry({ kind: "decide", id, outcome: status });
        return;
      }
      if (runtime.now() > deadline) throw new Error(`${formatTransactionId(id)} is not decided`);
      const isDecided = () => log.machine.preparedAs(id) === undefined;
      await log.until(isDecided, runtime, jittered(runtime, patience.askAgainMs));
      if (isDecided()) return;
    }
  }

  /** What home knows: asked, unless the outcome is here and waits to be applied. */
  async #inquire(id: TransactionId): Promise<ShardStatus> {
    return this.#decisions.outcomeOf(id) ?? this.#options.askHome(id, { kind: "inquire", id });
  }

  /** Has an outcome that was read from home applied here; others need not wait for it. */
  #tell(id: TransactionId, outcome: Extract<ShardStatus, { kind: "aborted" }>): void {
    if (id.home !== this.#options.log.shard)
      this.#decisions.note({ kind: "decide", id, outcome }).catch(() => {});
  }

  /** Raises the shard's clock to `timestamp`; one command is under way at a time, and serves all who want less. */
  async #advance(timestamp: CommitTimestamp): Promise<void> {
    const advancing = this.#advancing;
    if (advancing !== undefined) {
      await advancing.done.catch(() => {});
      if (advancing.to >= timestamp) return;
      if (this.#advancing !== undefined) return this.#advance(timestamp);
    }
    const done = this.#propose({ kind: "advance", timestamp }).then(() => {});
    this.#advancing = { to: timestamp, done };
    try {
      await done;
    } finally {
      if (this.#advancing?.done === done) this.#advancing = undefined;
    }
  }

  async #validate({ validation }: Extract<ShardRequest, { kind: "validate" }>): Promise<ShardAnswer> {
    const { log, consensus, runtime, patience } = this.#options;
    await consensus.readBarrier();
    const deadline = runtime.now() + patience.readMs;
    const answers = new Answers();
    for (;;) {
      const result = validate(log.machine, validation, answers.of);
      if (result.kind !== "blocked") return result;
      if (runtime.now() > deadline) throw new Error("The validation waited too long for others");
      for (const id of result.holders) {
        // Asked after the validation began: what home has not committed by now, this transaction may come before.
        const status = await this.#inquire(id);
        answers.note(id, status);
        if (status.kind === "committed") {
          return { kind: "outdated", clock: maximum(log.machine.clock, status.value.timestamp) };
        }
        // Home has forgotten it: what is still prepared here has to go, since no answer of home's says that it is harmless.
        if (status.kind === "expired") await this.#decisions.hurry({ kind: "decide", id, outcome: status });
        const preparedAt = log.machine.preparedAs(id)?.timestamp ?? Number.POSITIVE_INFINITY;
        if (preparedAt <= validation.snapshot) {
          await this.#clear(id, validation.snapshot, false, answers, deadline);
        }
      }
    }
  }

  /** Moves the shard's floors; only upwards. */
  async raiseFloors(gcFloor: CommitTimestamp, idFloor: CommitTimestamp): Promise<void> {
    await this.#propose({ kind: "floors", gcFloor, idFloor });
  }

  async #changes({ after, range }: Extract<ShardRequest, { kind: "changes" }>): Promise<ShardAnswer> {
    const { log, consensus, runtime, patience } = this.#options;
    if (after === undefined) {
      // From now on: nothing that was acknowledged before is told, everything that begins later is.
      await consensus.readBarrier();
      return { kind: "changes", commits: [], upTo: log.machine.watermark };
    }
    const isTelling = () => {
      const result = changesAfter(log.machine, after, range);
      return result.kind !== "changes" || result.commits.length > 0;
    };
    await log.until(isTelling, runtime, patience.changeMs);
    return changesAfter(log.machine, after, range);
  }

  async #awaitChange({ validation }: Extract<ShardRequest, { kind: "awaitChange" }>): Promise<ShardAnswer> {
    const { log, runtime, patience } = this.#options;
    const isOutdated = () => validate(log.machine, validation).kind === "outdated";
    await log.until(isOutdated, runtime, patience.changeMs);
    return { kind: "outdated", clock: log.machine.clock };
  }

  /** A turn given by who does not lead would hold nobody back. */
  async #turn(request: TurnRequest): Promise<ShardAnswer> {
    const { consensus } = this.#options;
    let isGranted = false;
    if (request.written.length + request.read.length === 0) this.turns.end(request.token);
    else isGranted = consensus.status().isLeader && (await this.turns.take(request));
    return { kind: "turn", isGranted };
  }

  #admits(timestamp: CommitTimestamp): boolean {
    const { clock, log } = this.#options;
    return clock.admits(timestamp, log.machine.clock);
  }
}

/**
 * TX-22: whether what was read is the newest of this applied state, with nothing prepared on it. While the read waited, the clock of the
 * shard may have passed it, and what was prepared may have been committed above it.
 */
function isCurrent(machine: ShardStateMachine, read: Extract<ReadResult, { kind: "read" }>): boolean {
  const { at: snapshot, entries } = read;
  const ranges = read.ranges.map(({ covered }) => covered);
  return validate(machine, { snapshot, reads: entries, ranges }).kind === "valid";
}

function maximum(a: CommitTimestamp, b: CommitTimestamp): CommitTimestamp {
  return a > b ? a : b;
}
