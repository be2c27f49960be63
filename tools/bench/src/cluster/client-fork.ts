/** The suite's side of the process of its clients: one question at a time, each with its answer. */
import { fileURLToPath } from "node:url";
import { Child } from "../child.ts";
import type { FromClient, Operation, RanOperations, ToClient } from "./client-messages.ts";
import type { TestCluster } from "./test-cluster.ts";

const CHILD = fileURLToPath(new URL("client-process.ts", import.meta.url));

export class ClientFork {
  readonly #child = new Child<ToClient, FromClient>(CHILD);

  private constructor() {}

  /** Connects to the cluster and writes the first `keys` of the 10,000 keys, so that they are there when they are read. */
  static async open(
    { kind, addresses }: Pick<TestCluster, "kind" | "addresses">,
    keys: number,
  ): Promise<ClientFork> {
    const client = new ClientFork();
    await client.#child.ask({ kind: "open", cluster: kind, addresses, keys });
    return client;
  }

  /** @param shards whose keys are written or read; default: all */
  async run(
    operation: Operation,
    count: number,
    inFlight: number,
    shards?: readonly number[],
  ): Promise<RanOperations> {
    const reply = await this.#child.ask({ kind: "run", operation, count, inFlight, shards });
    if (reply.kind !== "ran") throw new Error(`Invariant: clients do not answer with ${reply.kind}`);
    return reply;
  }

  /** Writes `key` again and again from now on; resolves once that goes well. */
  async probe(key: string): Promise<void> {
    await this.#child.ask({ kind: "probe", key });
  }

  /** To be called after a failure: the longest gap between acknowledgements around it, in milliseconds. Ends the probe. */
  async gap(): Promise<number> {
    const reply = await this.#child.ask({ kind: "gap" });
    return reply.kind === "gap" ? reply.milliseconds : Number.NaN;
  }

  close(): Promise<void> {
    return this.#child.end({ kind: "close" });
  }
}
