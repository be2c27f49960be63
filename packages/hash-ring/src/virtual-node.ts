/**
 * Virtual nodes: each node stands on the ring at many tokens, so that its share of the ring comes close to its
 * weight, and its neighbours, who take over what it leaves, are many (Karger et al. 1997; Dynamo, SOSP 2007, §4.2).
 *
 * The tokens of a node depend on its id alone, and a heavier node has the tokens of a lighter one and more. So a
 * node that joins, leaves or changes weight changes the owner of no range but those it gains or gives up (HR-2).
 */
import { HashSeed, hashIntegers } from "./hash.ts";
import type { Member } from "./ring-node.ts";

/**
 * Virtual nodes of a node with weight 1. The share of a node varies around the mean by about one part in the square
 * root of this; 1024 keeps the heaviest of 64 equal nodes within 1.15 times the mean, and 10 nodes take 80 KiB.
 */
export const DEFAULT_VIRTUAL_NODES = 1024;

/** All virtual nodes in token order, as two parallel arrays. */
export interface VirtualNodes {
  readonly tokens: Uint32Array;
  /** Index into the members of the ring. */
  readonly owners: Uint32Array;
}

/** How many virtual nodes a member gets: its weight times `perWeight`, at least one. */
export function virtualNodeCount(member: Member, perWeight: number): number {
  return Math.max(1, Math.round(member.weight * perWeight));
}

/**
 * Places the virtual nodes of all members. Where two fall on one token, the one of the lower id comes first and
 * owns it: members are sorted by id, and the sort below breaks ties by index.
 *
 * Id and number are hashed before they are hashed together. XXH32 takes short inputs in nearly linearly: with the
 * bare numbers one pair of ids in two million shared up to nine tenths of their tokens, and the higher id was left
 * with what remained.
 */
export function placeVirtualNodes(members: readonly Member[], perWeight: number): VirtualNodes {
  const counts = members.map((member) => virtualNodeCount(member, perWeight));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const largest = counts.reduce((max, count) => Math.max(max, count), 0);
  const numbers = Array.from({ length: largest }, (_, number) =>
    hashIntegers([number], HashSeed.virtualNode),
  );
  // Token and owner in one number, which a typed array sorts without a comparison function; below 2^53.
  const packed = new Float64Array(total);
  let next = 0;
  for (const [index, member] of members.entries()) {
    const id = hashIntegers([member.id], HashSeed.virtualNode);
    for (let number = 0; number < counts[index]!; number += 1) {
      const token = hashIntegers([id, numbers[number]!], HashSeed.virtualNode);
      packed[next] = token * MEMBER_COUNT_MAX + index;
      next += 1;
    }
  }
  packed.sort();
  return {
    tokens: Uint32Array.from(packed, (value) => Math.floor(value / MEMBER_COUNT_MAX)),
    owners: Uint32Array.from(packed, (value) => value % MEMBER_COUNT_MAX),
  };
}

/** What fits beside a 32-bit token into a safe integer. */
export const MEMBER_COUNT_MAX = 2 ** 20;
