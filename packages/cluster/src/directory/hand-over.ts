/** What comes before a planned stop: leadership of every group goes to another replica, so that nobody has to notice a silence. */
import type { Runtime } from "@khonsu/core";
import type { Consensus } from "../consensus.ts";
import { pause } from "../pause.ts";

export interface HandOverOptions {
  readonly self: number;
  readonly runtime: Runtime;
  /** The groups of which this node has a replica. */
  readonly groups: () => readonly number[];
  readonly consensusOf: (group: number) => Consensus | undefined;
  readonly isClosed: () => boolean;
}

/** How often it looks whether this node leads something, and how long it waits in between. */
const ROUNDS_MAX = 5;
const PAUSE_MS = 50;

/** Resolves once this node leads nothing, or nobody takes over. It must take no leadership any more when this is called. */
export async function handOver(options: HandOverOptions): Promise<void> {
  const { consensusOf, groups, isClosed, runtime } = options;
  for (let round = 0; round < ROUNDS_MAX && !isClosed(); round++) {
    await Promise.all(groups().map((group) => handOverOne(consensusOf(group), options.self)));
    // Who had asked just before may still give leadership to this node.
    await pause(runtime, PAUSE_MS);
    if (!groups().some((group) => consensusOf(group)?.status().isLeader)) return;
  }
}

async function handOverOne(consensus: Consensus | undefined, self: number): Promise<void> {
  const others = consensus?.admin?.membership()?.voters.filter(({ node }) => node !== self) ?? [];
  for (const other of others) {
    if (!consensus?.status().isLeader) return;
    // Whoever lags is refused; another may do.
    await consensus.admin?.handOver(other).catch(() => {});
  }
}
