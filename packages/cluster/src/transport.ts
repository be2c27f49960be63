/** How the nodes of a cluster ask each other. */
import type { ShardAnswer, ShardRequest } from "./messages.ts";

export interface Transport {
  /**
   * Asks a replica of `shard` on `node`. Rejects when the node cannot be reached or does not answer in time; the request
   * may have been carried out all the same.
   */
  ask(node: number, shard: number, request: ShardRequest): Promise<ShardAnswer>;
}

/** Answers what comes in from other nodes. Never rejects: what cannot be done is an answer as well. */
export type Serve = (shard: number, request: ShardRequest) => Promise<ShardAnswer>;
