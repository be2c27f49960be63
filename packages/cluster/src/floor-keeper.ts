/**
 * Moves the floors of the shards that a node leads, and purges what they have passed (transactions.md, "Retention"). How far back
 * snapshots and outcomes are kept is measured by the leader's clock; a wrong clock costs old snapshots, not correctness, for
 * what is below a floor is refused everywhere alike.
 */
import type { CommitTimestamp } from "@khonsu/core/isolation";
import type { HybridClock } from "./hybrid-clock.ts";
import type { ShardReplica } from "./shard-replica.ts";
import { LEASE_MS } from "./snapshot-leases.ts";

export interface Retention {
  /** How old a snapshot may be, in milliseconds; so long are old versions kept. Default 60,000. */
  readonly snapshotMs: number;
  /** How old one may be that a transaction goes on reading at, a backup for instance, in milliseconds. Default an hour. */
  readonly snapshotMaxMs: number;
  /** How long outcomes are kept by transaction id, in milliseconds. Much longer than any commit takes. Default 120,000. */
  readonly outcomeMs: number;
  /** How often floors are moved, in milliseconds. Default 5,000. */
  readonly everyMs: number;
}

export const DEFAULT_RETENTION: Retention = {
  snapshotMs: 60_000,
  snapshotMaxMs: 3_600_000,
  outcomeMs: 120_000,
  everyMs: 5000,
};

/** Versions that a turn of purging lets go: few enough that nobody waits for it. */
const PURGED_VERSIONS_MAX = 1000;

/** One turn of purging. To be called every few milliseconds, by every replica: a purge is no entry of the log. */
export function purgeSome({ log }: ShardReplica): void {
  log.machine.versions.purge(PURGED_VERSIONS_MAX);
}

/**
 * One round for one replica: the leader moves the floors, unless there is nothing that would go. A snapshot under a lease holds them back, but not
 * for ever; and a leader that is new lets no version go until whoever has one can have told it. Outcomes need not wait for that.
 *
 * @param ledMs since when this replica leads, in milliseconds; undefined where it does not.
 * @param now by the clock of the runtime.
 */
export function keepFloors(
  replica: ShardReplica,
  clock: Pick<HybridClock, "ago">,
  { snapshotMs, snapshotMaxMs, outcomeMs }: Retention,
  ledMs: number | undefined,
  now: number,
): void {
  const { machine } = replica.log;
  if (ledMs === undefined) return;
  if (!machine.versions.hasSuperseded && machine.outcomeCount === 0) return;
  const leased = replica.leases.lowest(now) ?? Number.POSITIVE_INFINITY;
  const highest = Math.max(leased, clock.ago(snapshotMaxMs));
  const mayMiss = ledMs < Math.min(LEASE_MS, snapshotMs / 2);
  const wanted = mayMiss ? machine.versions.floor : Math.min(clock.ago(snapshotMs), highest);
  const gcFloor = wanted as CommitTimestamp;
  const idFloor = clock.ago(outcomeMs);
  if (gcFloor <= machine.versions.floor && idFloor <= machine.idFloor) return;
  // Not moved this time: it will be the next.
  replica.raiseFloors(gcFloor, idFloor).catch(() => {});
}
