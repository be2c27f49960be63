// Which copies of an item the simulator may damage. For each item (a log slot, a promise, a checkpoint) a minority of nodes is
// chosen once and for all, and only their copies are ever damaged; the copies of the majority stay whole. Whatever is lost all the
// same is a bug of the protocol and not bad luck (TigerBeetle's ClusterFaultAtlas).
//
// A wiped disk damages all items of a node at once, so that node is one of the minority of every item.

import type { NodeName } from "./network.ts";
import type { Prng } from "./prng.ts";

export interface FaultAtlasOptions {
  readonly nodes: readonly NodeName[];
  /** How many copies of an item may be damaged. Safe values leave a prepare quorum and an accept quorum of whole copies. */
  readonly damagedMax: number;
  /** Whether one node may lose its whole disk. It then counts against `damagedMax`. */
  readonly wipes: boolean;
}

export class FaultAtlas {
  /** The node that may lose its disk, if any. */
  readonly wipeable: NodeName | undefined;
  readonly #options: FaultAtlasOptions;
  readonly #prng: Prng;
  readonly #minorities = new Map<string, ReadonlySet<NodeName>>();

  constructor(prng: Prng, options: FaultAtlasOptions) {
    this.#prng = prng;
    this.#options = options;
    const mayWipe = options.wipes && options.damagedMax > 0;
    this.wipeable = mayWipe ? prng.split("wipeable").pick(options.nodes) : undefined;
  }

  /** Whether the copy of `item` on `node` may be damaged. */
  mayDamage(node: NodeName, item: string): boolean {
    return this.#minority(item).has(node);
  }

  #minority(item: string): ReadonlySet<NodeName> {
    let minority = this.#minorities.get(item);
    if (minority === undefined) {
      const { nodes, damagedMax } = this.#options;
      const others = this.#prng.split(item).shuffled(nodes.filter((node) => node !== this.wipeable));
      const order = this.wipeable === undefined ? others : [this.wipeable, ...others];
      minority = new Set(order.slice(0, damagedMax));
      this.#minorities.set(item, minority);
    }
    return minority;
  }
}
