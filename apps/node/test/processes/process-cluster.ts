/** A cluster of processes on ports of the loopback interface, in a directory that goes with it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeConfigInput } from "../../src/node/config/schema.ts";
import type { NodeStatus } from "../../src/node/node-status.ts";
import { freePorts } from "../node/free-ports.ts";
import { NodeProcess } from "./node-process.ts";

const POLL_MS = 25;

export class ProcessCluster {
  readonly nodes: NodeProcess[] = [];
  readonly #directory: string;
  readonly #common: Partial<NodeConfigInput>;
  readonly #found: { readonly node: number; readonly address: string }[];

  private constructor(directory: string, ports: readonly number[], options: Partial<NodeConfigInput>) {
    this.#directory = directory;
    this.#found = ports.map((port, index) => ({ node: index + 1, address: `127.0.0.1:${port}` }));
    this.#common = {
      cluster: `processes-${ports.join("-")}`,
      placement: { shards: 4 },
      log: { level: "warn" },
      ...options,
    };
  }

  static async open(count: number, options: Partial<NodeConfigInput> = {}): Promise<ProcessCluster> {
    const directory = await mkdtemp(join(tmpdir(), "khonsu-processes-"));
    const cluster = new ProcessCluster(directory, await freePorts(count), options);
    const found = cluster.#found;
    for (const { address, node } of found) await cluster.#configure(node, address, { found });
    try {
      await Promise.all(cluster.nodes.map((node) => node.start().serves));
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  /** Starts another node, which asks to be let in. */
  async join(): Promise<NodeProcess> {
    const [port] = await freePorts(1);
    const members = this.nodes.map(({ address, node }) => `${node}@${address}`);
    const highest = Math.max(...this.nodes.map(({ node }) => node));
    const joining = await this.#configure(highest + 1, `127.0.0.1:${port}`, { join: members });
    await joining.start().serves;
    return joining;
  }

  /** Ends a node that the cluster has let go. */
  async leave(node: NodeProcess): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    await node.end("SIGTERM");
  }

  async #configure(
    node: number,
    address: string,
    membership: Pick<NodeConfigInput, "found" | "join">,
  ): Promise<NodeProcess> {
    const data = join(this.#directory, `node-${node}`);
    const port = Number(address.slice(address.lastIndexOf(":") + 1));
    const config = { ...this.#common, ...membership, node, data, listen: { port } };
    const file = join(this.#directory, `node-${node}.json`);
    await writeFile(file, JSON.stringify(config));
    const process = new NodeProcess(node, address, file, data);
    this.nodes.push(process);
    return process;
  }

  get addresses(): string[] {
    return this.nodes.map(({ address }) => address);
  }

  /** The statuses of all nodes once `holds` for each of them. @throws after `limitMs`, with the last statuses. */
  async until(holds: (status: NodeStatus) => boolean, limitMs = 60_000): Promise<NodeStatus[]> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const statuses = await Promise.all(this.nodes.map((node) => node.status().catch(() => undefined)));
      const known = statuses.filter((status) => status !== undefined);
      if (known.length === this.nodes.length && known.every(holds)) return known;
      if (performance.now() > deadline) {
        const logs = this.nodes.map(({ node, log }) => `--- log of node ${node}\n${log}`).join("\n");
        throw new Error(`not within ${limitMs} ms: ${JSON.stringify(statuses)}\n${logs}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Once every node serves, and every shard has as many replicas as it is to have, all of which vote. */
  untilSettled(limitMs = 120_000): Promise<NodeStatus[]> {
    const copies = Math.min(3, this.nodes.length);
    return this.until(({ ready, shards, node, placement }) => {
      const isWhole = shards.every(({ here, replicas }) => {
        const votes = here?.role === "leader" || here?.role === "follower";
        return replicas.length === copies && (votes || !replicas.includes(node));
      });
      // A disk that is emptied while the directory lacks a replica may be one too many.
      return ready && isWhole && placement.directoryReplicas.length === copies;
    }, limitMs);
  }

  async close(): Promise<void> {
    for (const node of this.nodes) node.pause(false);
    await Promise.all(this.nodes.map((node) => node.end("SIGKILL")));
    await rm(this.#directory, { recursive: true, force: true });
  }
}
