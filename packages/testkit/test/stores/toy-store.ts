// Stores in memory with known faults, interleaved at awaits, to prove that the checkers find them.
//
// The base is a multi-version store: each transaction reads from a snapshot, keeps its writes to itself, and is certified at its commit.
// Each fault is one switch.
import type { Key, MicroOp, Value } from "../../src/history/operation.ts";
import { Prng } from "../../src/simulator/prng.ts";
import type { AbstractTransaction, TransactionReport, TransactionRunner } from "../../src/workloads/index.ts";

export interface Faults {
  /** Reads are not certified: snapshot isolation sold as serializable. */
  readonly isSnapshotOnly?: boolean;
  /** Nothing is certified: updates get lost. */
  readonly isUncertified?: boolean;
  /** One commit in this many is acknowledged and dropped. */
  readonly lostCommitEvery?: number;
  /** Reads see what others have not committed yet, and perhaps never will. */
  readonly isDirty?: boolean;
  /** Snapshots lie up to this many commits in the past. */
  readonly staleness?: number;
  /** Each read takes a snapshot of its own: read committed. */
  readonly isReadCommitted?: boolean;
  /** A transaction does not see its own writes. */
  readonly isBlindToItself?: boolean;
  /** Absent keys and scans are not certified: phantoms. */
  readonly hasPhantoms?: boolean;
}

type State = ReadonlyMap<Key, readonly Value[]>;

interface Version {
  readonly state: State;
  readonly written: ReadonlySet<Key>;
}

/** A transaction that is under way. */
interface Pending {
  snapshot: number;
  readonly own: Map<Key, Value[]>;
  readonly read: Set<Key>;
  isScan: boolean;
}

export class ToyStore implements TransactionRunner {
  private readonly versions: Version[] = [{ state: new Map(), written: new Set() }];
  private readonly pending = new Set<Pending>();
  private readonly random: Prng;
  private readonly faults: Faults;
  private commits = 0;

  constructor(seed: string, faults: Faults = {}) {
    this.random = new Prng(`toy-store/${seed}`);
    this.faults = faults;
  }

  async transact(_process: number, transaction: AbstractTransaction): Promise<TransactionReport> {
    const tx: Pending = { snapshot: this.begin(), own: new Map(), read: new Set(), isScan: false };
    this.pending.add(tx);
    const ops: MicroOp[] = [];
    for (const op of transaction.ops) {
      await this.pause();
      if (this.faults.isReadCommitted) tx.snapshot = this.versions.length - 1;
      ops.push(this.execute(tx, op));
    }
    await this.pause();
    const isCommitted = this.random.chance(0.95) && this.isCertified(tx);
    this.pending.delete(tx);
    if (!isCommitted) return { outcome: "fail", ops };
    this.commit(tx);
    return { outcome: this.random.chance(0.02) ? "unknown" : "ok", ops };
  }

  private begin(): number {
    const newest = this.versions.length - 1;
    return Math.max(0, newest - this.random.integer(0, this.faults.staleness ?? 0));
  }

  private execute(tx: Pending, op: MicroOp): MicroOp {
    if (op[0] === "append") {
      tx.own.set(op[1], [...(tx.own.get(op[1]) ?? []), op[2]]);
      return op;
    }
    if (op[0] === "scan") {
      tx.isScan = true;
      const keys = new Set([...this.versions[tx.snapshot]!.state.keys(), ...tx.own.keys()]);
      return ["scan", op[1], [...keys].map((key) => [key, this.read(tx, key)] as const)];
    }
    if (op[0] !== "r") throw new Error(`The toy store has no ${op[0]}`);
    tx.read.add(op[1]);
    const list = this.read(tx, op[1]);
    return ["r", op[1], list.length === 0 ? null : list];
  }

  private read(tx: Pending, key: Key): Value[] {
    const committed = this.versions[tx.snapshot]!.state.get(key) ?? [];
    const others = this.faults.isDirty ? [...this.pending].filter((other) => other !== tx) : [];
    const dirty = others.flatMap((other) => other.own.get(key) ?? []);
    const own = this.faults.isBlindToItself ? [] : (tx.own.get(key) ?? []);
    return [...committed, ...dirty, ...own];
  }

  /** First committer wins on writes; reads must still be current. Read-only transactions are always right about their snapshot. */
  private isCertified(tx: Pending): boolean {
    const { isUncertified, isSnapshotOnly, isReadCommitted, hasPhantoms } = this.faults;
    if (isUncertified || tx.own.size === 0) return true;
    for (const { written } of this.versions.slice(tx.snapshot + 1)) {
      for (const key of written) {
        if (tx.own.has(key)) return false;
        if (isSnapshotOnly || isReadCommitted) continue;
        if (tx.read.has(key) || (tx.isScan && !hasPhantoms)) return false;
      }
    }
    return true;
  }

  private commit(tx: Pending): void {
    if (tx.own.size === 0) return;
    this.commits++;
    if (this.faults.lostCommitEvery !== undefined && this.commits % this.faults.lostCommitEvery === 0) return;
    const state = new Map(this.versions.at(-1)!.state);
    const base = this.faults.isUncertified ? this.versions[tx.snapshot]!.state : state;
    for (const [key, elements] of tx.own) state.set(key, [...(base.get(key) ?? []), ...elements]);
    this.versions.push({ state, written: new Set(tx.own.keys()) });
  }

  /** Lets others go on, for a random while. */
  private async pause(): Promise<void> {
    for (let turns = this.random.integer(0, 5); turns > 0; turns--) await null;
  }
}
