/**
 * Where replicas should be, as far as members and what is there decide it: bounded loads on the hash ring for shards, starting from
 * where they are, so that little moves; and for the directory a few members that stay as long as they can.
 */
import { HashRing, placeShards } from "@khonsu/hash-ring";
import {
  activeMembers,
  afterMove,
  DIRECTORY_GROUP,
  type DirectoryState,
  isSound,
  type Member,
} from "./state.ts";

/** How many replicas the directory has, as far as there are members: it survives the loss of two. */
const DIRECTORY_REPLICAS = 5;

/** The nodes that should have a replica, by group; for a shard the one that should lead first. */
export function targetNodes(state: DirectoryState): ReadonlyMap<number, readonly number[]> {
  const members = activeMembers(state);
  const nodesOf = (group: number) => {
    const record = state.groups.get(group);
    const there = record === undefined ? [] : afterMove(record);
    // A lost replica holds nothing that would have to move.
    return there.filter((replica) => isSound(state, replica)).map(({ node }) => node);
  };
  const ring = new HashRing(
    members.map(({ node, weight, zone }) => ({ id: node, weight, ...(zone === undefined ? {} : { zone }) })),
  );
  const placed = placeShards(ring, {
    shardCount: state.shardCount,
    replicas: Math.min(state.replicas, members.length),
    previous: Array.from({ length: state.shardCount }, (_, shard) => nodesOf(shard)),
  });
  const targets = new Map<number, readonly number[]>(placed.entries());
  return targets.set(DIRECTORY_GROUP, directoryNodes(members, nodesOf(DIRECTORY_GROUP)));
}

/** The members that are to keep the directory: those that do, then others, first of zones that have none. An odd number. */
export function directoryNodes(members: readonly Member[], before: readonly number[]): readonly number[] {
  const active = members.filter(({ state }) => state === "active");
  const count = Math.min(DIRECTORY_REPLICAS, active.length - ((active.length + 1) % 2));
  const zoneOf = ({ zone, node }: Member) => (zone === undefined ? `node:${node}` : `zone:${zone}`);
  const chosen = active.filter(({ node }) => before.includes(node)).slice(0, count);
  while (chosen.length < count) {
    const zones = new Set(chosen.map(zoneOf));
    const others = active.filter((member) => !chosen.includes(member));
    chosen.push(others.find((member) => !zones.has(zoneOf(member))) ?? others[0]!);
  }
  return chosen.map(({ node }) => node);
}
