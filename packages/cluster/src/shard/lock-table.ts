/**
 * What prepared transactions hold (TX-7): the keys they write, the keys and ranges they read. Nobody waits for a lock:
 * who meets one is told who holds it. Of several holders that is the least id, since the order in which they came is not the
 * same on a replica that started from a checkpoint.
 */
import { compareTransactionIds, type TransactionId, TransactionMap } from "@khonsu/2pc";
import { contains, type KeyRange } from "@khonsu/core/isolation";
import { violated } from "../errors.ts";
import type { ShardTransaction } from "./transaction.ts";

interface KeyLocks {
  writer: TransactionId | undefined;
  /** Made when somebody reads: most keys that are held are written. */
  readers: TransactionMap<TransactionId> | undefined;
}

interface RangeLocks {
  readonly holder: TransactionId;
  readonly ranges: readonly KeyRange[];
}

export interface Obstacle {
  readonly key: string | KeyRange;
  readonly holder: TransactionId;
}

export class LockTable {
  readonly #keys = new Map<string, KeyLocks>();
  readonly #ranges = new TransactionMap<RangeLocks>();
  /** The keys that are write-locked. */
  readonly #written = new Set<string>();

  hold(holder: TransactionId, { reads, ranges, writes }: ShardTransaction): void {
    for (const { key } of writes) {
      const locks = this.#locksOf(key);
      if (locks.writer !== undefined) throw violated("TX-7", `one writer a key: ${key}`);
      locks.writer = holder;
      this.#written.add(key);
    }
    for (const { key } of reads) {
      const locks = this.#locksOf(key);
      locks.readers ??= new TransactionMap();
      locks.readers.set(holder, holder);
    }
    if (ranges.length > 0) this.#ranges.set(holder, { holder, ranges });
  }

  free(holder: TransactionId, { reads, writes }: ShardTransaction): void {
    for (const { key } of writes) {
      this.#locksOf(key).writer = undefined;
      this.#written.delete(key);
      this.#forgetUnused(key);
    }
    for (const { key } of reads) {
      this.#keys.get(key)?.readers?.delete(holder);
      this.#forgetUnused(key);
    }
    this.#ranges.delete(holder);
  }

  /** Who holds what `transaction` needs: write against write, read and range; read and range against write. */
  obstacleTo({ reads, ranges, writes }: ShardTransaction): Obstacle | undefined {
    for (const { key } of writes) {
      const holder = this.writerOf(key) ?? this.#readerOf(key) ?? this.#scannerOf(key);
      if (holder !== undefined) return { key, holder };
    }
    for (const { key } of reads) {
      const holder = this.writerOf(key);
      if (holder !== undefined) return { key, holder };
    }
    for (const range of ranges) {
      const holder = least(this.writersIn(range));
      if (holder !== undefined) return { key: range, holder };
    }
    return undefined;
  }

  writerOf(key: string): TransactionId | undefined {
    return this.#keys.get(key)?.writer;
  }

  /** Who writes in `range`, in no order, once for each key. */
  *writersIn(range: KeyRange): Generator<TransactionId, undefined> {
    for (const key of this.#written) {
      const holder = contains(range, key) ? this.writerOf(key) : undefined;
      if (holder !== undefined) yield holder;
    }
  }

  #readerOf(key: string): TransactionId | undefined {
    return least(this.#keys.get(key)?.readers?.values() ?? []);
  }

  #scannerOf(key: string): TransactionId | undefined {
    if (this.#ranges.size === 0) return undefined;
    const locks = [...this.#ranges.values()].filter(({ ranges }) =>
      ranges.some((range) => contains(range, key)),
    );
    return least(locks.map(({ holder }) => holder));
  }

  #locksOf(key: string): KeyLocks {
    let locks = this.#keys.get(key);
    if (locks === undefined) {
      locks = { writer: undefined, readers: undefined };
      this.#keys.set(key, locks);
    }
    return locks;
  }

  #forgetUnused(key: string): void {
    const locks = this.#keys.get(key);
    if (locks !== undefined && locks.writer === undefined && (locks.readers?.size ?? 0) === 0)
      this.#keys.delete(key);
  }
}

function least(ids: Iterable<TransactionId>): TransactionId | undefined {
  let first: TransactionId | undefined;
  for (const id of ids) if (first === undefined || compareTransactionIds(id, first) < 0) first = id;
  return first;
}
