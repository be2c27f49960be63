/**
 * What was committed in a shard between two timestamps (TX-28). Commits are applied in another order than that of their
 * timestamps, so nothing above the watermark is told yet: below it, no further commit can come. The versions that snapshots
 * need anyway are the memory of it, so a watch goes on from any timestamp at or above the floor, on any replica.
 */
import { BEFORE_ANY, type CommitTimestamp, type KeyRange, type Version } from "@khonsu/core/isolation";
import type { ShardValue } from "./shard-value.ts";
import type { ShardStateMachine } from "./state-machine.ts";
import { byCodeUnits } from "./transaction.ts";

export interface ChangedKey {
  readonly key: string;
  /** Undefined: the key was deleted. */
  readonly value: ShardValue | undefined;
}

/** What one commit changed in the shard, keys rising. */
export interface ChangeSet {
  readonly timestamp: CommitTimestamp;
  readonly changes: readonly ChangedKey[];
}

export type ChangesResult =
  | {
      readonly kind: "changes";
      /** In the order of timestamps. */
      readonly commits: readonly ChangeSet[];
      /** Everything up to here is told; go on from here. */
      readonly upTo: CommitTimestamp;
    }
  | { readonly kind: "snapshot-too-old"; readonly floor: CommitTimestamp };

/** What was committed after `after`, up to the watermark, of the keys in `range`. */
export function changesAfter(
  shard: ShardStateMachine,
  after: CommitTimestamp,
  range: KeyRange,
): ChangesResult {
  const { versions, watermark } = shard;
  if (after < versions.floor) return { kind: "snapshot-too-old", floor: versions.floor };
  const byTimestamp = new Map<CommitTimestamp, ChangedKey[]>();
  for (const { key, newest } of versions.chainsIn(range)) {
    for (let at: Version<ShardValue> | undefined = newest; isAfter(at, after); at = at.older) {
      // An `ensure` makes a version of the same value, and a delete of nothing one without any.
      if (at.timestamp > watermark || at.value === at.older?.value) continue;
      const changes = byTimestamp.get(at.timestamp);
      if (changes === undefined) byTimestamp.set(at.timestamp, [{ key, value: at.value }]);
      else changes.push({ key, value: at.value });
    }
  }
  const commits = [...byTimestamp]
    .sort(([a], [b]) => a - b)
    .map(([timestamp, changes]) => ({
      timestamp,
      changes: changes.sort((a, b) => byCodeUnits(a.key, b.key)),
    }));
  return { kind: "changes", commits, upTo: watermark > after ? watermark : after };
}

function isAfter(
  version: Version<ShardValue> | undefined,
  after: CommitTimestamp,
): version is Version<ShardValue> {
  return version !== undefined && version.timestamp > after && version.timestamp > BEFORE_ANY;
}
