// A stream of abstract transactions for any store, from a seed: what to read and write, not what comes out of it.
//
// WL-1  Equal options give equal transactions.
// WL-2  Each written value is written once, so that a read tells which write it saw (docs/spec/history-format.md, HF-8).
import type { Key, MicroOp } from "../history/operation.ts";
import { Prng } from "../simulator/prng.ts";
import { Zipf } from "./zipf.ts";

export interface WorkloadOptions {
  readonly seed: string | number;
  /** Lists that are appended to, or registers that are overwritten. Default `"list"`. */
  readonly kind?: "list" | "register";
  /** Keys in use at a time. Default 10. */
  readonly keys?: number;
  /** Writes to a key after which a fresh one takes its place, so that lists stay short. Default 32 for lists, never for registers. */
  readonly writesPerKey?: number;
  /** Contention: exponent of the Zipf distribution over the keys, 0 for uniform. Default 0.5. */
  readonly skew?: number;
  /** Steps of a transaction. Default 1 to 4. */
  readonly length?: { readonly min: number; readonly max: number };
  /** Weights of the kinds of steps; what is left out has weight 0. Default reads 1, writes 1. */
  readonly mix?: {
    readonly reads?: number;
    readonly writes?: number;
    /** Reads of a key that nobody ever writes. */
    readonly absentReads?: number;
    /** Scans of all keys. Each costs a read of every key in the history, so keep them rare, or keys few. */
    readonly scans?: number;
    readonly deletes?: number;
  };
  /** Isolation levels with weights; the names are the store's. Default `serializable` alone. */
  readonly isolation?: readonly (readonly [weight: number, level: string])[];
}

/** A transaction to execute. Its reads and scans carry no result yet. */
export interface AbstractTransaction {
  readonly number: number;
  readonly isolation: string;
  readonly ops: readonly MicroOp[];
}

export type StepKind = "read" | "write" | "absent read" | "scan" | "delete";

/** Prefix of all keys of a workload, so that a scan covers them and nothing else. */
export const KEY_PREFIX = "k/";

export class Workload {
  private readonly random: Prng;
  private readonly kind: "list" | "register";
  private readonly length: { readonly min: number; readonly max: number };
  private readonly writesPerKey: number;
  private readonly steps: Readonly<Record<StepKind, () => MicroOp>>;
  private readonly mix: readonly (readonly [weight: number, kind: StepKind])[];
  private readonly isolation: readonly (readonly [number, string])[];
  private readonly ranks: Zipf;
  private readonly active: { key: Key; writes: number }[] = [];
  private keysMade = 0;
  private valuesMade = 0;
  private transactionsMade = 0;

  constructor(options: WorkloadOptions) {
    this.random = new Prng(options.seed);
    this.kind = options.kind ?? "list";
    this.length = options.length ?? { min: 1, max: 4 };
    this.writesPerKey = options.writesPerKey ?? (this.kind === "list" ? 32 : Number.POSITIVE_INFINITY);
    this.isolation = options.isolation ?? [[1, "serializable"]];
    this.ranks = new Zipf(options.keys ?? 10, options.skew ?? 0.5);
    for (let rank = 0; rank < (options.keys ?? 10); rank++) this.active.push(this.freshKey());
    const { reads, writes, absentReads, scans, deletes } = options.mix ?? { reads: 1, writes: 1 };
    this.steps = {
      read: () => ["r", this.pick().key],
      write: () => this.write(),
      "absent read": () => ["r", `${KEY_PREFIX}absent/${this.random.integer(0, 9)}`],
      scan: () => ["scan", { prefix: KEY_PREFIX }],
      delete: () => ["delete", this.pick().key],
    };
    this.mix = [
      [reads ?? 0, "read"],
      [writes ?? 0, "write"],
      [absentReads ?? 0, "absent read"],
      [scans ?? 0, "scan"],
      [deletes ?? 0, "delete"],
    ];
  }

  next(): AbstractTransaction {
    const length = this.random.integer(this.length.min, this.length.max);
    const ops = Array.from({ length }, () => this.step(this.random.weighted(this.mix)));
    return { number: this.transactionsMade++, isolation: this.random.weighted(this.isolation), ops };
  }

  /** A single step, for transactions of a shape of their own. */
  step(kind: StepKind): MicroOp {
    return this.steps[kind]();
  }

  private write(): MicroOp {
    const chosen = this.pick();
    const { key } = chosen;
    chosen.writes++;
    if (chosen.writes >= this.writesPerKey) Object.assign(chosen, this.freshKey());
    return [this.kind === "list" ? "append" : "w", key, this.valuesMade++];
  }

  private pick(): { key: Key; writes: number } {
    return this.active[this.ranks.draw(this.random)]!;
  }

  private freshKey(): { key: Key; writes: number } {
    return { key: `${KEY_PREFIX}${this.keysMade++}`, writes: 0 };
  }
}
