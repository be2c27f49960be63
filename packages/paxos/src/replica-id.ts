/**
 * Who takes part. A node is a process with a disk; a replica is one life of that disk in one group. A node that lost its
 * disk, or that was removed, comes back under a higher incarnation, so that nobody counts it as its former self (PX-12).
 * Both numbers are packed into one safe integer: identities compare with `===` and sort by node, then incarnation.
 */

declare const nodeIdBrand: unique symbol;
declare const replicaIdBrand: unique symbol;

/** A process. An integer from 1 to 2 097 151 (2^21 - 1). */
export type NodeId = number & { readonly [nodeIdBrand]: true };

/** A member of a group: a node and its incarnation. Make one with `replicaId`, take it apart with `nodeOf`, `incarnationOf`. */
export type ReplicaId = number & { readonly [replicaIdBrand]: true };

const INCARNATIONS = 2 ** 32;
const NODES = 2 ** 21;

/** @throws RangeError if `value` is not an integer from 1 to 2 097 151. */
export function nodeId(value: number): NodeId {
  if (!Number.isInteger(value) || value < 1 || value >= NODES) {
    throw new RangeError(`Cannot use as a node id: ${value} is not an integer from 1 to ${NODES - 1}`);
  }
  return value as NodeId;
}

/**
 * The identity of `node` in its `incarnation`-th life.
 * @param incarnation from 0 to 2^32 - 1, default 1; a node whose disk is empty must use one that it never used before.
 * @throws RangeError if either number is out of range.
 */
export function replicaId(node: number, incarnation = 1): ReplicaId {
  if (!Number.isInteger(incarnation) || incarnation < 0 || incarnation >= INCARNATIONS) {
    throw new RangeError(`Cannot use as an incarnation: ${incarnation} is not an integer below 2^32`);
  }
  return (nodeId(node) * INCARNATIONS + incarnation) as ReplicaId;
}

export function nodeOf(replica: ReplicaId): NodeId {
  return Math.floor(replica / INCARNATIONS) as NodeId;
}

export function incarnationOf(replica: ReplicaId): number {
  return replica % INCARNATIONS;
}

/** For people: `2` for the first incarnation of node 2, `2#3` for the third. */
export function formatReplica(replica: ReplicaId): string {
  const incarnation = incarnationOf(replica);
  return incarnation === 1 ? `${nodeOf(replica)}` : `${nodeOf(replica)}#${incarnation}`;
}

export function compareReplicas(a: ReplicaId, b: ReplicaId): number {
  return a - b;
}
