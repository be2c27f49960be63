/** Drives one shard in tests: fills in what a coordinator would, from a short description. */
import type { TransactionId } from "@khonsu/2pc";
import type { IsolationLevel } from "@khonsu/core";
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";
import { encodeBatches, toBatch } from "@khonsu/core/values";
import { tableFromArrays } from "apache-arrow";
import {
  type Applied,
  type MergeBy,
  type NamedResolution,
  ShardStateMachine,
  type ShardStatus,
  type ShardTransaction,
  type ShardValue,
  type Write,
} from "../src/index.ts";
import { type Baseline, byCodeUnits } from "../src/shard/transaction.ts";

export interface Description {
  readonly isolation?: IsolationLevel;
  /** Default: the shard's clock. */
  readonly snapshot?: number;
  readonly proposed?: number;
  readonly observed?: number;
  /** Keys read at the snapshot, or with the versions that are said to have been seen. */
  readonly reads?: readonly string[] | Readonly<Record<string, number>>;
  readonly ranges?: readonly KeyRange[];
  /** Values are the bytes of the text, except where `rows` are merged. */
  readonly puts?: Readonly<Record<string, string>>;
  /** Puts of rows with a column `id`. */
  readonly batches?: Readonly<Record<string, readonly number[]>>;
  readonly deletes?: readonly string[];
  readonly ensures?: readonly string[];
  /** Rows with a column `id` to append. */
  readonly rows?: Readonly<Record<string, readonly number[]>>;
  readonly keyColumn?: string;
  readonly mergeBy?: MergeBy;
  readonly onConflict?: NamedResolution;
  /** Default: the versions at the moment. */
  readonly baselines?: Readonly<Record<string, number | "snapshot" | undefined>>;
  readonly readBack?: readonly string[];
  readonly isConditional?: boolean;
  readonly id?: TransactionId;
  readonly birth?: number;
  readonly home?: number;
  readonly participants?: readonly number[];
}

export class ShardDriver {
  machine: ShardStateMachine;
  #births = 0;

  constructor(shard: number) {
    this.machine = new ShardStateMachine(shard);
  }

  commit(description: Description): ShardStatus {
    const id = this.#idOf(description, this.machine.shard);
    return this.#status({
      kind: "commit",
      id,
      participants: [id.home],
      request: this.requestOf(description),
      votes: undefined,
    });
  }

  prepare(description: Description): ShardStatus {
    const participants = description.participants ?? [0, 1];
    const id = this.#idOf(description, description.home ?? this.machine.shard);
    return this.#status({ kind: "prepare", id, participants, request: this.requestOf(description) });
  }

  abort(id: TransactionId): ShardStatus {
    return this.#status({ kind: "decide", id, outcome: { kind: "aborted", reason: { kind: "recovery" } } });
  }

  decide(id: TransactionId, timestamp: number): ShardStatus {
    const value = { timestamp: timestamp as CommitTimestamp, ignored: [] };
    return this.#status({ kind: "decide", id, outcome: { kind: "committed", value } });
  }

  floors(gcFloor: number, idFloor = 0): void {
    this.machine.apply({ kind: "floors", gcFloor: gcFloor as CommitTimestamp, idFloor });
  }

  requestOf(description: Description): ShardTransaction {
    const { machine } = this;
    const snapshot = (description.snapshot ?? machine.clock) as CommitTimestamp;
    const isSerializable = (description.isolation ?? "serializable") === "serializable";
    const reads = Array.isArray(description.reads)
      ? description.reads.map((key) => ({
          key,
          version: machine.versions.identityOf(machine.versions.at(key, snapshot)),
        }))
      : Object.entries(description.reads ?? {}).map(([key, version]) => ({
          key,
          version: version as CommitTimestamp,
        }));
    return {
      isolation: description.isolation ?? "serializable",
      snapshot,
      proposed: (description.proposed ?? 0) as CommitTimestamp,
      observed: (description.observed ?? 0) as CommitTimestamp,
      reads: isSerializable ? reads.sort((a, b) => byCodeUnits(a.key, b.key)) : [],
      ranges: isSerializable ? (description.ranges ?? []) : [],
      writes: this.#writesOf(description).sort((a, b) => byCodeUnits(a.key, b.key)),
      readBack: description.readBack ?? [],
    };
  }

  #writesOf(description: Description): Write[] {
    const { puts = {}, batches = {}, deletes = [], ensures = [], rows = {}, keyColumn } = description;
    const operations = new Map<string, Write["operation"]>();
    for (const [key, text] of Object.entries(puts)) {
      operations.set(key, { kind: "put", value: new TextEncoder().encode(text) });
    }
    for (const [key, ids] of Object.entries(batches))
      operations.set(key, { kind: "put", value: batchOf(ids) });
    for (const key of deletes) operations.set(key, { kind: "delete" });
    for (const key of ensures) operations.set(key, { kind: "ensure" });
    for (const [key, ids] of Object.entries(rows)) {
      operations.set(key, { kind: "merge", steps: [{ rows: batchOf(ids), keyColumn }] });
    }
    return [...operations].map(([key, operation]) => ({
      key,
      operation,
      onConflict: description.onConflict ?? "fail",
      baseline: this.#baselineOf(key, description, operation),
      mergeBy: description.mergeBy,
      isConditional: description.isConditional ?? false,
    }));
  }

  #baselineOf(key: string, { baselines }: Description, { kind }: Write["operation"]): Baseline {
    if (baselines !== undefined && key in baselines) return baselines[key] as Baseline;
    return kind === "merge" ? undefined : this.machine.versions.identity(key);
  }

  #idOf({ id, birth }: Description, home: number): TransactionId {
    return id ?? { birth: birth ?? ++this.#births, random: 0, home };
  }

  #status(command: Parameters<ShardStateMachine["apply"]>[0]): ShardStatus {
    const { status }: Applied = this.machine.apply(command);
    if (status === undefined) throw new Error("an entry of a transaction has a status");
    return status;
  }
}

/** Rows with a column `id` and where they are from, as bytes. */
export function batchOf(ids: readonly number[], from = 0): Uint8Array {
  const table = tableFromArrays({ id: Int32Array.from(ids), from: Int32Array.from(ids, () => from) });
  return encodeBatches(table.batches);
}

export function idsIn(value: ShardValue | undefined): number[] | undefined {
  if (value === undefined) return undefined;
  return Array.from(toBatch(value.decode()).getChildAt(0)!.toArray() as Int32Array);
}

export function textIn(value: ShardValue | undefined): string | undefined {
  return value === undefined ? undefined : new TextDecoder().decode(value.chunks()[0]);
}
