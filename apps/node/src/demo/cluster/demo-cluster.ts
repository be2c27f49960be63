/** Three nodes on ports of the loopback interface, each with a directory of its own. */
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../../failure.ts";
import type { NodeConfigInput } from "../../node/config/schema.ts";
import type { NodeStatus } from "../../node/node-status.ts";
import { NodeProcess } from "./node-process.ts";

export const NODES = 3;
export const SHARDS = 6;
/**
 * Leaders that are silent for ten of these are replaced. All nodes share one machine here: where many others want it too, leaders are
 * late without being dead, and replacing them all the time would get nothing done.
 */
const TICK_MS = { usual: 40, busy: 150 };
/** Processes that want to run, for each processor. */
const BUSY_LOAD = 3;
/** Somebody else may take a port between the moment in which it was found free and that in which the node listens. */
const ATTEMPTS = 3;
const POLL_MS = 20;
/** Generous: on a machine that is busy everything takes long. */
const PATIENCE_MS = 90_000;

export class DemoCluster implements AsyncDisposable {
  readonly nodes: readonly NodeProcess[];

  private constructor(nodes: readonly NodeProcess[]) {
    this.nodes = nodes;
  }

  /** Starts the nodes. Resolves once all of them serve. */
  static async start(directory: string): Promise<DemoCluster> {
    for (let attempt = 1; ; attempt++) {
      const cluster = new DemoCluster(await configure(join(directory, `attempt-${attempt}`)));
      try {
        await Promise.all(cluster.nodes.map((node) => node.start()));
        return cluster;
      } catch (error) {
        await cluster[Symbol.asyncDispose]();
        const isTaken = cluster.nodes.some(({ log }) => log.includes("KHONSU_LISTEN_FAILED"));
        if (!isTaken || attempt === ATTEMPTS) throw error;
      }
    }
  }

  node(id: number): NodeProcess {
    return this.nodes.find(({ node }) => node === id)!;
  }

  /** The addresses of all nodes, that of `first` in front. */
  addressesFrom(first: number): string[] {
    const others = this.nodes.filter(({ node }) => node !== first);
    return [this.node(first), ...others].map(({ address }) => address);
  }

  /** What all nodes say, once `holds` of that. @throws CommandError if it does not come about */
  async until(
    what: string,
    holds: (statuses: readonly NodeStatus[]) => boolean,
  ): Promise<readonly NodeStatus[]> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const told = await Promise.all(this.nodes.map((node) => node.status()));
      const known = told.filter((status) => status !== undefined);
      if (known.length === this.nodes.length && holds(known)) return known;
      if (performance.now() > deadline) {
        const views = this.nodes.map(({ log, node }, index) => `node ${node}: ${view(told[index])}\n${log}`);
        throw new CommandError(`It does not come about that ${what}\n${views.join("\n")}`);
      }
      await sleep(POLL_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
  }
}

/** What a node says of its shards, in short. */
function view(status: NodeStatus | undefined): string {
  if (status === undefined) return "does not answer";
  const shards = status.shards.map(
    ({ here, leader, shard }) => `${shard}: ${leader} ${here?.role} ${here?.applied}`,
  );
  return [...status.problems, ...shards].join("; ");
}

async function configure(directory: string): Promise<NodeProcess[]> {
  const ports = await freePorts(NODES);
  const found = ports.map((port, index) => ({ node: index + 1, address: `127.0.0.1:${port}` }));
  const tickMs = loadavg()[0]! / availableParallelism() > BUSY_LOAD ? TICK_MS.busy : TICK_MS.usual;
  await mkdir(directory, { recursive: true });
  return Promise.all(
    found.map(async ({ node, address }, index) => {
      const config: NodeConfigInput = {
        node,
        cluster: "demo",
        data: join(directory, `node-${node}`),
        found,
        listen: { port: ports[index]! },
        placement: { shards: SHARDS },
        timing: { tickMs },
        log: { level: "warn" },
      };
      const file = join(directory, `node-${node}.json`);
      await writeFile(file, JSON.stringify(config, undefined, 2));
      return new NodeProcess(node, address, file);
    }),
  );
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
