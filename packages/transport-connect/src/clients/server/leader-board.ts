/**
 * Who leads which shard, as far as this node knows, for clients that would rather ask the leader at once. One look at all shards in a
 * while serves all sessions; each is told when it comes, and when something has changed. These are hints: nothing rests on them.
 */
import type { KeyPlacement } from "@khonsu/cluster";
import type { Runtime } from "@khonsu/core";
import type { LeaderHints } from "../session-codec.ts";
import type { Description } from "./client-service.ts";

export interface LeaderBoardOptions {
  /** 0 while the node does not know its cluster. */
  readonly placement: Pick<KeyPlacement, "shardCount">;
  /** The node that leads a shard, if it is known here. */
  readonly leaderOf: (shard: number) => number | undefined;
  /** Throws while the node does not know its cluster. */
  readonly describe: () => Pick<Description, "members">;
  readonly runtime: Pick<Runtime, "schedule">;
}

type Listener = (hints: LeaderHints) => void;

/** How often it is looked while somebody listens, in milliseconds. */
const LOOK_MS = 100;

export class LeaderBoard {
  readonly #options: LeaderBoardOptions;
  readonly #listeners = new Set<Listener>();
  #hints: LeaderHints = { nodes: [], members: [] };
  #cancel = () => {};

  constructor(options: LeaderBoardOptions) {
    this.#options = options;
  }

  /** Tells `listener` at once, and from now on. @returns ends that */
  join(listener: Listener): () => void {
    if (this.#listeners.size === 0) {
      this.#hints = this.#read();
      this.#lookLater();
    }
    this.#listeners.add(listener);
    listener(this.#hints);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#cancel();
    };
  }

  #lookLater(): void {
    this.#cancel();
    this.#cancel = this.#options.runtime.schedule(LOOK_MS, () => this.#look());
  }

  #look(): void {
    const hints = this.#read();
    if (!areSame(hints, this.#hints)) {
      this.#hints = hints;
      for (const listener of [...this.#listeners]) listener(hints);
    }
    if (this.#listeners.size > 0) this.#lookLater();
  }

  #read(): LeaderHints {
    const { leaderOf, placement } = this.#options;
    const nodes = Array.from({ length: placement.shardCount }, (_, shard) => leaderOf(shard) ?? 0);
    return { nodes, members: this.#members() };
  }

  #members(): Description["members"] {
    try {
      return this.#options.describe().members;
    } catch {
      return [];
    }
  }
}

function areSame(a: LeaderHints, b: LeaderHints): boolean {
  return (
    a.nodes.length === b.nodes.length &&
    a.nodes.every((node, shard) => node === b.nodes[shard]) &&
    a.members.length === b.members.length &&
    a.members.every(
      ({ address, node }, i) => node === b.members[i]!.node && address === b.members[i]!.address,
    )
  );
}
