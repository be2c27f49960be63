/**
 * Snapshots that somebody goes on reading at, as the leader of a shard has been told: the floor is not moved past the lowest of them. A
 * lease ends by itself, so whoever is gone holds nothing for long. Leases are in no log, and nothing that is decided rests on them: one
 * that is lost, with the leader that had it, costs at most a snapshot that is too old.
 */
import type { CommitTimestamp } from "@khonsu/core/isolation";

/** How long a lease lasts, in milliseconds: several renewals (`lease-renewal.ts`) may be lost. */
export const LEASE_MS = 20_000;
/** Different snapshots at a time; further ones are not held. */
const LEASES_MAX = 4096;

export class SnapshotLeases {
  /** Until when by timestamp, by the clock of the runtime. */
  readonly #until = new Map<CommitTimestamp, number>();

  /** Somebody reads at `timestamp`, and goes on. */
  renew(timestamp: CommitTimestamp, now: number): void {
    if (!this.#until.has(timestamp) && this.#until.size >= LEASES_MAX) this.#expire(now);
    if (this.#until.has(timestamp) || this.#until.size < LEASES_MAX)
      this.#until.set(timestamp, now + LEASE_MS);
  }

  /** The lowest snapshot that is held; undefined where there is none. */
  lowest(now: number): CommitTimestamp | undefined {
    this.#expire(now);
    let lowest: CommitTimestamp | undefined;
    for (const timestamp of this.#until.keys()) {
      if (lowest === undefined || timestamp < lowest) lowest = timestamp;
    }
    return lowest;
  }

  #expire(now: number): void {
    for (const [timestamp, until] of this.#until) if (until <= now) this.#until.delete(timestamp);
  }
}
