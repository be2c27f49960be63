/** A cluster of nodes in this process, each on its own port and directory. */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeConfigInput } from "../../src/node/config/schema.ts";
import type { RunningNode } from "../../src/node/running-node.ts";
import { startNode } from "../../src/node/start-node.ts";
import { freePorts } from "./free-ports.ts";

export class LocalCluster {
  readonly configs: readonly NodeConfigInput[];
  readonly #directory: string;
  readonly #running = new Map<number, RunningNode>();

  private constructor(directory: string, ports: readonly number[], options: Partial<NodeConfigInput>) {
    this.#directory = directory;
    const found = ports.map((port, index) => ({ node: index + 1, address: `127.0.0.1:${port}` }));
    this.configs = found.map(({ node }, index) => ({
      cluster: `test-${ports.join("-")}`,
      placement: { shards: 4 },
      log: { level: "error" },
      ...options,
      node,
      found,
      data: join(directory, `node-${node}`),
      listen: { port: ports[index]! },
    }));
  }

  static async open(nodes: number, options: Partial<NodeConfigInput> = {}): Promise<LocalCluster> {
    const directory = mkdtempSync(join(tmpdir(), "khonsu-node-"));
    const cluster = new LocalCluster(directory, await freePorts(nodes), options);
    await Promise.all(cluster.configs.map(({ node }) => cluster.start(node)));
    await Promise.all(cluster.nodes.map((node) => node.ready()));
    return cluster;
  }

  get addresses(): string[] {
    return this.nodes.map(({ address }) => address);
  }

  node(id: number): RunningNode {
    return this.#running.get(id)!;
  }

  get nodes(): RunningNode[] {
    return [...this.#running.values()];
  }

  async start(id: number): Promise<RunningNode> {
    const node = await startNode(this.configs[id - 1]!);
    this.#running.set(id, node);
    return node;
  }

  async stop(id: number): Promise<void> {
    const node = this.node(id);
    this.#running.delete(id);
    await node.stop();
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    this.#running.clear();
    await rm(this.#directory, { recursive: true });
  }
}
