/**
 * Moves the floors of the shards that a node leads, and purges what they have passed (transactions.md, "Retention"). How far back
 * snapshots and outcomes are kept is measured by the leader's clock; a wrong clock costs old snapshots, not correctness, for
 * what is below a floor is refused everywhere alike.
 */
import type { HybridClock } from "./hybrid-clock.ts";
import type { ShardReplica } from "./shard-replica.ts";

export interface Retention {
  /** How old a snapshot may be, in milliseconds; so long are old versions kept. Default 60,000. */
  readonly snapshotMs: number;
  /** How long outcomes are kept by transaction id, in milliseconds. Much longer than any commit takes. Default 120,000. */
  readonly outcomeMs: number;
  /** How often floors are moved, in milliseconds. Default 5,000. */
  readonly everyMs: number;
}

export const DEFAULT_RETENTION: Retention = { snapshotMs: 60_000, outcomeMs: 120_000, everyMs: 5000 };

/** Keys that a turn of purging looks at: little enough that nobody waits for it. */
const PURGED_KEYS_MAX = 200;

/** One turn of purging. To be called every few milliseconds, by every replica: a purge is no entry of the log. */
export function purgeSome({ log }: ShardReplica): void {
  log.machine.versions.purge(PURGED_KEYS_MAX);
}

/** One round for one replica: the leader moves the floors, unless there is nothing that would go. */
export function keepFloors(
  replica: ShardReplica,
  clock: HybridClock,
  { snapshotMs, outcomeMs }: Retention,
): void {
  const { machine } = replica.log;
  if (!replica.consensus.status().isLeader) return;
  if (!machine.versions.hasSuperseded && machine.outcomeCount === 0) return;
  const gcFloor = clock.ago(snapshotMs);
  const idFloor = clock.ago(outcomeMs);
  if (gcFloor <= machine.versions.floor && idFloor <= machine.idFloor) return;
  // Not moved this time: it will be the next.
  replica.raiseFloors(gcFloor, idFloor).catch(() => {});
}
