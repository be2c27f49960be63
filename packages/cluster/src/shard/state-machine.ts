/**
 * A shard: versions, clock, prepared transactions and outcomes as a deterministic function of the log. Every replica that
 * has applied the same entries has the same state and gave the same answers, so a new leader has nothing to rebuild and a
 * stale one can do no harm. The rules are numbered in docs/spec/transactions.md.
 */
import {
  type Change,
  compareTransactionIds,
  formatTransactionId,
  OutcomeTable,
  type Packing,
  type Status,
  type TableSnapshot,
  type TransactionId,
  TransactionMap,
  type Vote,
} from "@khonsu/2pc";
import { type CommitTimestamp, TIMESTAMP_MAX } from "@khonsu/core/isolation";
import { ClusterError, violated } from "../errors.ts";
import { assignTimestamp, type Certified, certify, type Install, resolveWrites } from "./certify.ts";
import type { Command, ShardRecord } from "./command.ts";
import { LockTable } from "./lock-table.ts";
import type { Refusal } from "./refusal.ts";
import type { ShardValue } from "./shard-value.ts";
import { type Commitment, mergeCommitments, type ShardTransaction } from "./transaction.ts";
import { Versions } from "./versions.ts";

export type ShardStatus = Status<Commitment, Refusal>;

/** A transaction that is prepared here: what it will install, from when on it counts, and what it holds. */
export interface Prepared {
  readonly id: TransactionId;
  readonly timestamp: CommitTimestamp;
  readonly transaction: ShardTransaction;
  readonly installs: readonly Install[];
  /** Keys whose conflict was resolved when it was prepared, which later cannot be told from the versions any more. */
  readonly conflicts: readonly string[];
}

/** What applying an entry did. */
export interface Applied {
  /** What is known of the entry's transaction now; undefined for an entry without one. */
  readonly status: ShardStatus | undefined;
  /** What became visible, all of it at `timestamp`. */
  readonly installed:
    | { readonly timestamp: CommitTimestamp; readonly installs: readonly Install[] }
    | undefined;
}

/** A shard at one index of its log. Equal on every replica. Refers to values and does not copy them. */
export interface ShardCheckpoint {
  readonly shard: number;
  readonly clock: CommitTimestamp;
  readonly gcFloor: CommitTimestamp;
  readonly table: TableSnapshot<ShardTransaction, Commitment, Refusal>;
  /** `Prepared.conflicts` of the prepared transactions that have some, in the order of the table. */
  readonly resolved: readonly ResolvedConflicts[];
  readonly entries: readonly CheckpointEntry[];
}

export interface ResolvedConflicts {
  readonly id: TransactionId;
  readonly keys: readonly string[];
}

/** A version, in the order of keys and, for one key, of timestamps. */
export interface CheckpointEntry {
  readonly key: string;
  readonly timestamp: CommitTimestamp;
  readonly value: ShardValue | undefined;
}

/** A commit that ignored nothing is its timestamp. */
const PACKING: Packing<Commitment> = {
  pack: ({ timestamp, ignored }) => (ignored.length === 0 ? timestamp : undefined),
  unpack: (timestamp) => ({ timestamp: timestamp as CommitTimestamp, ignored: [] }),
};

const NOTHING: Applied = { status: undefined, installed: undefined };

export class ShardStateMachine {
  readonly shard: number;
  readonly versions: Versions;
  readonly locks = new LockTable();
  readonly #table: OutcomeTable<ShardTransaction, Commitment, Refusal>;
  readonly #prepared = new TransactionMap<Prepared>();
  #clock: CommitTimestamp;
  /** What the certification of the entry that is being applied found. */
  #certified: Certified | undefined = undefined;

  /** @throws ClusterError `KHONSU_CHECKPOINT_CORRUPT` if the checkpoint is of another shard */
  constructor(shard: number, checkpoint?: ShardCheckpoint) {
    if (checkpoint !== undefined && checkpoint.shard !== shard) {
      const message = `Cannot restore shard ${shard}: the checkpoint is of shard ${checkpoint.shard}`;
      throw new ClusterError("KHONSU_CHECKPOINT_CORRUPT", message);
    }
    this.shard = shard;
    this.versions = new Versions(checkpoint?.gcFloor ?? (0 as CommitTimestamp));
    this.#clock = checkpoint?.clock ?? (0 as CommitTimestamp);
    for (const { key, timestamp, value } of checkpoint?.entries ?? []) {
      this.versions.install(key, timestamp, value);
    }
    this.versions.restored();
    this.#table = new OutcomeTable(
      shard,
      (request, _, votes) => this.#certify(request, votes),
      checkpoint?.table,
      PACKING,
    );
    this.#holdAgain(checkpoint?.resolved ?? []);
  }

  /** At or above every timestamp that was assigned or installed here. Invariant: never falls. */
  get clock(): CommitTimestamp {
    return this.#clock;
  }

  /** Ids born at or before this are expired unless something is recorded of them. */
  get idFloor(): number {
    return this.#table.floor;
  }

  /** How many transactions are kept by id. */
  get outcomeCount(): number {
    return this.#table.size;
  }

  /** TX-28: nothing will be installed at or below this any more. Invariant: never falls. */
  get watermark(): CommitTimestamp {
    let watermark: number = this.#clock;
    for (const { timestamp } of this.#prepared.values()) watermark = Math.min(watermark, timestamp - 1);
    return watermark as CommitTimestamp;
  }

  /** What is known of a transaction. */
  statusOf(id: TransactionId): ShardStatus {
    return this.#table.statusOf(id);
  }

  preparedAs(id: TransactionId): Prepared | undefined {
    return this.#prepared.get(id);
  }

  /** What is prepared, and commits decided here that not every participant has recorded as applied. */
  unfinished(): ReturnType<OutcomeTable<ShardTransaction, Commitment, Refusal>["unfinished"]> {
    return this.#table.unfinished();
  }

  get preparedCount(): number {
    return this.#prepared.size;
  }

  /**
   * Applies the next entry of the log.
   *
   * @throws ClusterError `KHONSU_INVARIANT_VIOLATED`, or `InvariantViolation` of `@khonsu/2pc`, for an entry that cannot
   *   stand in a correct log. Nothing has changed then; stop the replica.
   */
  apply(command: Command): Applied {
    switch (command.kind) {
      case "advance":
        // TX-4: refused, and nothing changes.
        if (command.timestamp <= TIMESTAMP_MAX) this.#raiseClock(command.timestamp);
        return NOTHING;
      case "floors":
        // Not above the clock, so that no version is installed that the floor has passed already, but by what is prepared.
        this.versions.raiseFloor(Math.min(command.gcFloor, this.#clock) as CommitTimestamp);
        this.#table.raiseFloor(command.idFloor);
        return NOTHING;
      case "acknowledgements":
        for (const item of command.items) this.#table.apply({ kind: "acknowledge", ...item });
        return NOTHING;
      default:
        return this.#applyRecord(command);
    }
  }

  checkpoint(): ShardCheckpoint {
    const resolved: ResolvedConflicts[] = [];
    for (const { id, conflicts: keys } of this.#prepared.values()) {
      if (keys.length > 0) resolved.push({ id, keys });
    }
    resolved.sort((a, b) => compareTransactionIds(a.id, b.id));
    const { shard, clock, versions } = this;
    const table = this.#table.snapshot();
    return { shard, clock, gcFloor: versions.floor, table, resolved, entries: versions.retained() };
  }

  #applyRecord(record: ShardRecord): Applied {
    this.#certified = undefined;
    if (record.kind === "decide" && record.outcome.kind === "committed") {
      this.#assertDecision(record.id, record.outcome.value.timestamp);
    }
    const { status, change } = this.#table.apply(record);
    return { status, installed: this.#carryOut(record.id, change) };
  }

  /** TX-8: a commit is at or above the timestamp that was promised here, and has one timestamp everywhere. */
  #assertDecision(id: TransactionId, timestamp: CommitTimestamp): void {
    const known = this.#table.statusOf(id);
    const isPossible =
      known.kind === "prepared"
        ? timestamp >= known.value.timestamp && timestamp <= TIMESTAMP_MAX
        : known.kind !== "committed" || known.value.timestamp === timestamp || id.home === this.shard;
    if (!isPossible) {
      throw violated(
        "TX-8",
        `${formatTransactionId(id)} is ${known.kind} and cannot be committed at ${timestamp}`,
      );
    }
  }

  #carryOut(id: TransactionId, change: Change<ShardTransaction, Commitment>): Applied["installed"] {
    switch (change.kind) {
      case "none":
        return undefined;
      case "hold":
        this.#hold(id, change.request, change.value.timestamp, this.#certified);
        return undefined;
      case "free":
        this.#free(id);
        return undefined;
      case "install":
        return this.#install(id, change.value.timestamp);
    }
  }

  #install(id: TransactionId, timestamp: CommitTimestamp): Applied["installed"] {
    const installs = (this.#certified ?? this.#free(id)).installs;
    for (const { key, value } of installs) this.versions.install(key, timestamp, value);
    this.#raiseClock(timestamp);
    return { timestamp, installs };
  }

  /** @param votes of all other participants, where this shard is home: the commit is at or above these (TX-11) */
  #certify(transaction: ShardTransaction, votes: Commitment | undefined): Vote<Commitment, Refusal> {
    if (transaction.snapshot < this.versions.floor) {
      return { kind: "no", reason: { kind: "snapshot-too-old", floor: this.versions.floor } };
    }
    const timestamp = assignTimestamp(transaction, this.#clock);
    if (timestamp === undefined) return { kind: "refused", reason: { kind: "timestamp-limit" } };
    const verdict = certify(transaction, { versions: this.versions, locks: this.locks, clock: this.#clock });
    if (verdict.kind !== "certified") return { kind: "no", reason: verdict };
    this.#certified = verdict;
    const own = { timestamp, ignored: verdict.ignored };
    const value = votes === undefined ? own : mergeCommitments(own, votes);
    this.#raiseClock(value.timestamp);
    return { kind: "yes", value };
  }

  #hold(
    id: TransactionId,
    transaction: ShardTransaction,
    timestamp: CommitTimestamp,
    certified: Certified | undefined,
  ): void {
    if (certified === undefined)
      throw violated("TX-7", `nothing under a prepared transaction changes: ${formatTransactionId(id)}`);
    this.locks.hold(id, transaction);
    const { installs, conflicts } = certified;
    this.#prepared.set(id, { id, timestamp, transaction, installs, conflicts });
  }

  /** Holds what the prepared transactions of a checkpoint need. */
  #holdAgain(resolved: readonly ResolvedConflicts[]): void {
    const conflicts = new Map(resolved.map(({ id, keys }) => [formatTransactionId(id), keys]));
    for (const entry of this.#table.unfinished()) {
      if (entry.state !== "prepared") continue;
      const { id, request, value } = entry;
      const certified = resolveWrites(request, conflicts.get(formatTransactionId(id)) ?? [], this.versions);
      this.#hold(id, request, value.timestamp, certified.kind === "certified" ? certified : undefined);
    }
  }

  #free(id: TransactionId): Prepared {
    const prepared = this.preparedAs(id);
    if (prepared === undefined) throw violated("TX-7", `not held: ${formatTransactionId(id)}`);
    this.locks.free(id, prepared.transaction);
    this.#prepared.delete(id);
    return prepared;
  }

  #raiseClock(timestamp: CommitTimestamp): void {
    if (timestamp > this.#clock) this.#clock = timestamp;
  }
}
