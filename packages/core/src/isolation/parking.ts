/**
 * Transactions that wait, by `retry`, for a change to anything that they have read (Harris et al. 2005, §4.3). A parked
 * transaction hangs on the chains of the versions that it read; chains of absent keys are pinned so that they stay.
 * Whoever parks has found its reads current in the same synchronous step, so that no change is missed in between.
 */
import type { ActiveTransaction } from "./active-transaction.ts";
import { contains, type KeyRange } from "./predicate.ts";
import type { VersionChain } from "./version-chain.ts";

export interface Parked {
  /** Settles when something that was read has changed. */
  readonly woken: Promise<void>;
}

class ParkedTransaction<V> implements Parked {
  readonly chains: readonly VersionChain<V>[];
  readonly ranges: readonly KeyRange[];
  readonly woken: Promise<void>;
  wake: () => void = () => {};

  constructor(transaction: ActiveTransaction<V>) {
    const reads = transaction.reads;
    this.chains = [...new Set(reads?.versions.map((version) => version.chain))];
    this.ranges = reads?.ranges ?? [];
    this.woken = new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}

export class ParkingLot<V> {
  readonly #parked = new Set<ParkedTransaction<V>>();
  /** Those of them that wait for a range. */
  readonly #scanners = new Set<ParkedTransaction<V>>();

  get size(): number {
    return this.#parked.size;
  }

  park(transaction: ActiveTransaction<V>): Parked {
    const parked = new ParkedTransaction<V>(transaction);
    this.#parked.add(parked);
    if (parked.ranges.length > 0) this.#scanners.add(parked);
    for (const chain of parked.chains) {
      chain.pins++;
      chain.waiters ??= new Set();
      chain.waiters.add(parked.wake);
    }
    return parked;
  }

  /** Takes a transaction out, and tells which chains it had pinned. A second call finds nothing. */
  leave(parked: Parked): readonly VersionChain<V>[] {
    if (!(parked instanceof ParkedTransaction) || !this.#parked.delete(parked)) return [];
    this.#scanners.delete(parked);
    for (const chain of parked.chains) {
      chain.pins--;
      chain.waiters?.delete(parked.wake);
      if (chain.waiters?.size === 0) chain.waiters = undefined;
    }
    // So that nothing waits for it any longer.
    parked.wake();
    return parked.chains;
  }

  /** Wakes whoever waits for the key of `chain`, which has just changed. */
  wake(chain: VersionChain<V>): void {
    if (chain.waiters !== undefined) for (const wake of chain.waiters) wake();
    for (const scanner of this.#scanners) {
      if (scanner.ranges.some((range) => contains(range, chain.key))) scanner.wake();
    }
  }
}
