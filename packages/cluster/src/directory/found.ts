/**
 * The state in which a cluster begins. All founders have the same, made by one of them while all were reachable and fresh, and
 * each keeps it on its disk before it opens a replica (PL-8).
 */
import { HashRing, placeShards } from "@khonsu/hash-ring";
import { ClusterError } from "../errors.ts";
import { KeyMap } from "../key-map.ts";
import type { Admission } from "./command.ts";
import { byNumber, DIRECTORY_GROUP, type DirectoryState, type GroupRecord, type Member } from "./state.ts";
import { directoryNodes } from "./target.ts";

/** What is chosen when a cluster is founded. `replicas` can be changed later, the others are for ever. */
export interface ClusterLayout {
  /** From 1 to 16384. Default 32. */
  readonly shardCount?: number | undefined;
  /** The character that ends the placement prefix. Default: none. */
  readonly delimiter?: string | undefined;
  /** How many replicas a shard is to have, as far as there are members. Default 3. */
  readonly replicas?: number | undefined;
}

/** Of founders and of their first replicas; nobody else's. */
export const FIRST_INCARNATION = 1;

/** @throws ClusterError `KHONSU_INVALID_OPTION` */
export function foundingState(
  clusterId: string,
  founders: readonly Admission[],
  { shardCount = 32, delimiter, replicas = 3 }: ClusterLayout,
): DirectoryState {
  try {
    // Both check what they are given.
    new KeyMap({ shardCount, delimiter });
    const ring = new HashRing(
      founders.map(({ node, zone, weight }) => ({
        id: node,
        weight,
        ...(zone === undefined ? {} : { zone }),
      })),
    );
    const placed = placeShards(ring, { shardCount, replicas: Math.min(replicas, founders.length) });
    const members = founders.map(
      (founder): Member => ({ ...founder, incarnation: FIRST_INCARNATION, state: "active" }),
    );
    const groups = placed.map((nodes, shard) => groupOf(shard, nodes));
    groups.push(groupOf(DIRECTORY_GROUP, directoryNodes(members, [])));
    return {
      version: 1,
      clusterId,
      shardCount,
      delimiter,
      replicas,
      lastIncarnation: FIRST_INCARNATION,
      members: byNumber(members, ({ node }) => node),
      groups: byNumber(groups, ({ group }) => group),
    };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ClusterError("KHONSU_INVALID_OPTION", `A cluster cannot be founded so: ${why}`, { cause });
  }
}

function groupOf(group: number, nodes: readonly number[]): GroupRecord {
  const replicas = [...nodes].sort((a, b) => a - b).map((node) => ({ node, incarnation: FIRST_INCARNATION }));
  return { group, replicas, move: undefined };
}
