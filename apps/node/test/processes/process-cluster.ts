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
  readonly nodes: readonly NodeProcess[];
  readonly #directory: string;

  private constructor(directory: string, nodes: readonly NodeProcess[]) {
    this.#directory = directory;
    this.nodes = nodes;
  }

  static async open(count: number, options: Partial<NodeConfigInput> = {}): Promise<ProcessCluster> {
    const directory = await mkdtemp(join(tmpdir(), "khonsu-processes-"));
    const ports = await freePorts(count);
    const found = ports.map((port, index) => ({ node: index + 1, address: `127.0.0.1:${port}` }));
    const nodes = found.map(async ({ address, node }, index) => {
      const config: NodeConfigInput = {
        cluster: `processes-${ports.join("-")}`,
        placement: { shards: 4 },
        log: { level: "warn" },
        ...options,
        node,
        found,
        data: join(directory, `node-${node}`),
        listen: { port: ports[index]! },
      };
      const file = join(directory, `node-${node}.json`);
      await writeFile(file, JSON.stringify(config));
      return new NodeProcess(node, address, file);
    });
    const cluster = new ProcessCluster(directory, await Promise.all(nodes));
    try {
      await Promise.all(cluster.nodes.map((node) => node.start().serves));
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
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

  async close(): Promise<void> {
    for (const node of this.nodes) node.pause(false);
    await Promise.all(this.nodes.map((node) => node.end("SIGKILL")));
    await rm(this.#directory, { recursive: true, force: true });
  }
}
