// The obvious transport: bytes handed from one node to the other within a process. The suite is checked against it.
import {
  decodeShardAnswer,
  decodeShardRequest,
  encodeShardAnswer,
  encodeShardRequest,
  type Transport,
} from "@khonsu/cluster";
import type { Serve, TransportNetwork } from "./harness.ts";

/** Ways to be wrong. */
export const FAULTS = [
  "gives answers in the order of questions",
  "never says that a node is not there",
  "forgets those who wait when a node goes",
  "fails all when one node goes",
  "cuts large messages",
  "mixes up shards",
  "lets one question at a time through",
  "stops at the first failure",
  "keeps answers for the next of that number",
] as const;

export type Fault = (typeof FAULTS)[number];

interface Node {
  readonly serve: Serve;
  readonly gone: Promise<never>;
  readonly stop: (error: Error) => void;
  isStopped: boolean;
}

export class MemoryNetwork implements TransportNetwork {
  readonly #fault: Fault | undefined;
  readonly #nodes = new Map<number, Node>();
  #queue: Promise<unknown> = Promise.resolve();
  #isBroken = false;

  constructor(fault?: Fault) {
    this.#fault = fault;
  }

  async start(id: number, serve: Serve): Promise<Transport> {
    let stop: (error: Error) => void = () => {};
    const gone = new Promise<never>((_, reject) => {
      stop = reject;
    });
    gone.catch(() => {});
    this.#nodes.set(id, { serve, gone, stop, isStopped: false });
    return { ask: (to, shard, request) => this.#ask(to, shard, encodeShardRequest(request)) };
  }

  stop(id: number): void {
    const node = this.#nodes.get(id)!;
    node.isStopped = true;
    const others = this.#fault === "fails all when one node goes" ? [...this.#nodes.values()] : [node];
    if (this.#fault !== "forgets those who wait when a node goes") {
      for (const each of others) each.stop(new Error(`Node ${id} has gone away`));
    }
  }

  async #ask(to: number, shard: number, request: Uint8Array) {
    const node = this.#nodes.get(to);
    if (node === undefined || node.isStopped || this.#isBroken) {
      if (this.#fault === "never says that a node is not there") await new Promise(() => {});
      throw new Error(`Node ${to} is not there`);
    }
    const before = this.#queue;
    const answering = this.#answer(node, shard, request, before);
    this.#queue = Promise.allSettled([before, answering]);
    const answer = await Promise.race([answering, node.gone]);
    if (this.#fault === "gives answers in the order of questions") await before;
    return decodeShardAnswer(answer);
  }

  async #answer(
    node: Node,
    shard: number,
    request: Uint8Array,
    before: Promise<unknown>,
  ): Promise<Uint8Array> {
    if (this.#fault === "lets one question at a time through") await before;
    await null;
    const isCut = this.#fault === "cuts large messages" && request.length > 65_536;
    const asked = decodeShardRequest(isCut ? request.slice(0, 65_536) : request);
    try {
      const answer = await node.serve(this.#fault === "mixes up shards" ? 0 : shard, asked);
      if (node.isStopped && this.#fault === "keeps answers for the next of that number") {
        const successor = [...this.#nodes.values()].at(-1)!;
        this.#nodes.set(2, { ...successor, serve: async () => answer });
      }
      return encodeShardAnswer(answer);
    } catch (error) {
      if (this.#fault === "stops at the first failure") this.#isBroken = true;
      throw error;
    }
  }
}
