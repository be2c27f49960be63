/**
 * A node as the ring sees it: a number that it keeps for life, how much it can take, and where it fails together
 * with others. Addresses stay outside, so that a node which moves to another address moves no data.
 */

/** An integer from 0 to 2^32 − 1 that a node keeps for life and that no other node ever gets. */
export type NodeId = number;

export interface RingNode {
  readonly id: NodeId;
  /** How much of the load this node takes, relative to the others: more than 0, at most 1000. Default: 1. */
  readonly weight?: number;
  /** What fails together: a rack, a room, a region. Default: each node is a zone of its own. */
  readonly zone?: string;
}

/** A node with its defaults filled in. */
export interface Member {
  readonly id: NodeId;
  readonly weight: number;
  /** Equal for nodes that fail together. Named and unnamed zones never meet, hence the prefix. */
  readonly zone: string;
}

const WEIGHT_MAX = 1000;

/**
 * Checks nodes and sorts them by id, so that nothing afterwards depends on the order in which they were given.
 *
 * @throws RangeError if an id is not an integer from 0 to 2^32 − 1 or occurs twice, or a weight is out of range
 */
export function membersOf(nodes: readonly RingNode[]): readonly Member[] {
  const members = nodes.map(({ id, weight = 1, zone }) => {
    if (!Number.isInteger(id) || id < 0 || id >= 2 ** 32) {
      throw new RangeError(`A node id is an integer from 0 to 2^32 - 1: it is ${id}`);
    }
    if (!(weight > 0 && weight <= WEIGHT_MAX)) {
      throw new RangeError(
        `The weight of node ${id} must be above 0 and at most ${WEIGHT_MAX}: it is ${weight}`,
      );
    }
    return { id, weight, zone: zone === undefined ? `node:${id}` : `zone:${zone}` };
  });
  members.sort((a, b) => a.id - b.id);
  for (const [index, member] of members.entries()) {
    if (members[index + 1]?.id === member.id) throw new RangeError(`Node ${member.id} is given twice`);
  }
  return members;
}
