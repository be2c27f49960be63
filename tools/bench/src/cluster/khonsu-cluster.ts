/** Nodes of Khonsu, three as a rule, with the defaults of `khonsu serve`, which sync each write before it counts. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KeyMap } from "@khonsu/cluster";
import { freePorts } from "./free-ports.ts";
import { MemberProcess } from "./member-process.ts";
import { MEMBERS, type TestCluster } from "./test-cluster.ts";

const MAIN = fileURLToPath(new URL("../../../../apps/node/bin/khonsu.mjs", import.meta.url));
/** The default of `placement.shards`. */
export const SHARDS = 16;
export const KEY_MAP = new KeyMap({ shardCount: SHARDS });

interface Status {
  readonly ready: boolean;
  readonly shards: readonly { readonly shard: number; readonly leader: number | null }[];
}

export interface Placement {
  readonly shards: number;
  /** The end of the placement prefix of a key. Default: none. */
  readonly delimiter?: string;
}

/** @param placement default: that of `khonsu serve` @param nodes how many; one replicates nothing */
export async function khonsuCluster(
  directory: string,
  placement: Placement = { shards: SHARDS },
  nodes = MEMBERS,
): Promise<TestCluster> {
  const { shards, delimiter } = placement;
  const keyMap = new KeyMap({ shardCount: shards, delimiter });
  const ports = await freePorts(nodes);
  const found = ports.map((port, index) => ({ node: index + 1, address: `127.0.0.1:${port}` }));
  const members = found.map(async ({ node, address: _ }, index) => {
    const file = join(directory, `node-${node}.json`);
    const config = {
      cluster: "bench",
      node,
      found,
      data: join(directory, `node-${node}`),
      listen: { port: ports[index] },
      placement,
      log: { level: "warn" },
    };
    await writeFile(file, JSON.stringify(config));
    return new MemberProcess(process.execPath, [MAIN, "serve", "--config", file]);
  });
  const addresses = found.map(({ address }) => address);
  return {
    kind: "khonsu",
    addresses,
    members: await Promise.all(members),
    isReady: async (index) => (await statusOf(addresses[index]!)).ready,
    leaderOf: (key) => leaderOf(addresses, keyMap.shardOf(key)),
    close: async () => {},
  };
}

async function statusOf(address: string): Promise<Status> {
  const response = await fetch(`http://${address}/status.json`, { signal: AbortSignal.timeout(2000) });
  return (await response.json()) as Status;
}

/** As the members see it that can be asked; the leader itself must be among them. */
async function leaderOf(addresses: readonly string[], shard: number): Promise<number | undefined> {
  const statuses = await Promise.all(addresses.map((address) => statusOf(address).catch(() => undefined)));
  for (const status of statuses) {
    const leader = status?.shards.find((each) => each.shard === shard)?.leader;
    if (leader != null && statuses[leader - 1] !== undefined) return leader - 1;
  }
  return undefined;
}
