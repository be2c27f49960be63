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
  /** How long outcomes are kept by transaction id, in milliseconds. Much longer than any commit takes. Default 600,000. */
  readonly outcomeMs: number;
  /** How often floors are moved, in milliseconds. Default 5,000. */
  readonly everyMs: number;
}

export const DEFAULT_RETENTION: Retention = { snapshotMs: 60_000, outcomeMs: 600_000, everyMs: 5000 };

const PURGED_KEYS_MAX = 1000;

/** One round for one replica: the leader moves the floors, everybody purges. */
export function keepFloors(
  replica: ShardReplica,
  clock: HybridClock,
  { snapshotMs, outcomeMs }: Retention,
): void {
  const { machine } = replica.log;
  machine.versions.purge(PURGED_KEYS_MAX);
  if (!replica.consensus.status().isLeader) return;
  const gcFloor = clock.ago(snapshotMs);
  const idFloor = clock.ago(outcomeMs);
  if (gcFloor <= machine.versions.floor && idFloor <= machine.idFloor) return;
  // Not moved this time: it will be the next.
  replica.raiseFloors(gcFloor, idFloor).catch(() => {});
}
