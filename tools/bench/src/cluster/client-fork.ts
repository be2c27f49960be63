/** The suite's side of the process of its clients: one question at a time, each with its answer. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { FromClient, Operation, ToClient } from "./client-messages.ts";
import type { TestCluster } from "./test-cluster.ts";

const CHILD = fileURLToPath(new URL("client-process.ts", import.meta.url));

export class ClientFork {
  readonly #child: ChildProcess;
  readonly #exited: Promise<FromClient>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    const failure: FromClient = { kind: "failed", message: "the process of the clients ended" };
    this.#exited = once(child, "exit").then(() => failure);
  }

  /** Connects to the cluster and writes the first `keys` of the 10,000 keys, so that they are there when they are read. */
  static async open({ kind, addresses }: TestCluster, keys: number): Promise<ClientFork> {
    const client = new ClientFork(fork(CHILD));
    await client.#ask({ kind: "open", cluster: kind, addresses, keys });
    return client;
  }

  /** @returns the latency of each operation in microseconds. */
  async run(operation: Operation, count: number, inFlight: number): Promise<readonly number[]> {
    const reply = await this.#ask({ kind: "run", operation, count, inFlight });
    return reply.kind === "ran" ? reply.latencies : [];
  }

  /** Writes `key` again and again from now on; resolves once that goes well. */
  async probe(key: string): Promise<void> {
    await this.#ask({ kind: "probe", key });
  }

  /** To be called after a failure: the longest gap between acknowledgements around it, in milliseconds. Ends the probe. */
  async gap(): Promise<number> {
    const reply = await this.#ask({ kind: "gap" });
    return reply.kind === "gap" ? reply.milliseconds : Number.NaN;
  }

  async close(): Promise<void> {
    this.#child.send({ kind: "close" } satisfies ToClient);
    await this.#exited;
  }

  async #ask(message: ToClient): Promise<FromClient> {
    const answered = once(this.#child, "message").then(([reply]: FromClient[]) => reply!);
    this.#child.send(message);
    const reply = await Promise.race([answered, this.#exited]);
    if (reply.kind === "failed") throw new Error(`Cannot ${message.kind}: ${reply.message}`);
    return reply;
  }
}
