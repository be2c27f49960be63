/**
 * The ring: 2^32 tokens in a circle, each owned by the virtual node at it or next after it.
 *
 * A ring is immutable; a change of members makes another one. Equal nodes and options give an equal ring, in
 * whatever order the nodes were given (HR-1). `test/linear-ring.ts` is the slow, obvious version beside it.
 */
import { TOKEN_COUNT, type Token } from "./hash.ts";
import { type Member, membersOf, type NodeId, type RingNode } from "./ring-node.ts";
import {
  DEFAULT_VIRTUAL_NODES,
  MEMBER_COUNT_MAX,
  placeVirtualNodes,
  type VirtualNodes,
  virtualNodeCount,
} from "./virtual-node.ts";

export interface HashRingOptions {
  /** Virtual nodes of a node with weight 1: an integer from 1 to 65536. Default: 1024. */
  readonly virtualNodes?: number;
}

const VIRTUAL_NODES_MAX = 65_536;
const VIRTUAL_NODES_TOTAL_MAX = 2 ** 24;

export class HashRing {
  /** The members, sorted by id. */
  readonly members: readonly Member[];
  /** Virtual nodes of a node with weight 1. */
  readonly virtualNodes: number;
  /** All virtual nodes in token order. */
  readonly points: VirtualNodes;

  /**
   * @param nodes at least one, at most 2^20
   * @throws RangeError if there is no node, an id or a weight is out of range, an id occurs twice, or the virtual
   * nodes are not an integer from 1 to 65536 or more than 2^24 over all nodes
   */
  constructor(nodes: readonly RingNode[], options: HashRingOptions = {}) {
    const { virtualNodes = DEFAULT_VIRTUAL_NODES } = options;
    if (!Number.isInteger(virtualNodes) || virtualNodes < 1 || virtualNodes > VIRTUAL_NODES_MAX) {
      throw new RangeError(
        `virtualNodes must be an integer from 1 to ${VIRTUAL_NODES_MAX}: it is ${virtualNodes}`,
      );
    }
    if (nodes.length < 1 || nodes.length > MEMBER_COUNT_MAX) {
      throw new RangeError(`A ring has from 1 to ${MEMBER_COUNT_MAX} nodes: there are ${nodes.length}`);
    }
    this.members = membersOf(nodes);
    this.virtualNodes = virtualNodes;
    const total = this.members.reduce((sum, member) => sum + virtualNodeCount(member, virtualNodes), 0);
    if (total > VIRTUAL_NODES_TOTAL_MAX) {
      throw new RangeError(`A ring has at most ${VIRTUAL_NODES_TOTAL_MAX} virtual nodes: these are ${total}`);
    }
    this.points = placeVirtualNodes(this.members, virtualNodes);
  }

  /** The node that owns `token`. Takes about log2 of the number of virtual nodes in steps. */
  ownerOf(token: Token): NodeId {
    return this.memberAt(this.firstPoint(token)).id;
  }

  /** The index of the first virtual node at or after `token`, around the end of the circle. */
  firstPoint(token: Token): number {
    if (!Number.isInteger(token) || token < 0 || token >= TOKEN_COUNT) {
      throw new RangeError(`A token is an integer from 0 to 2^32 - 1: it is ${token}`);
    }
    const { tokens } = this.points;
    let low = 0;
    let high = tokens.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (tokens[middle]! < token) low = middle + 1;
      else high = middle;
    }
    return low === tokens.length ? 0 : low;
  }

  /** The member that the virtual node at `point` belongs to. */
  memberAt(point: number): Member {
    return this.members[this.points.owners[point]!]!;
  }
}
