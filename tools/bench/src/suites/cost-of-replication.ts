/**
 * What replication costs the node that leads: the writes of one key that it gets done in a second of its processor time, beside those of a node
 * that replicates nothing and of an embedded store, all synced, with 64 in flight. The writes go to shards that the node leads, by a
 * client that is connected to it, so that it coordinates and leads and the others only follow. What it uses while nothing happens is
 * not counted. The goal is two thirds of the unreplicated rate.
 */
import { Khonsu } from "@khonsu/core";
import { LevelStorage } from "@khonsu/storage-level";
import { ClientFork } from "../cluster/client-fork.ts";
import { KEY_MAP, khonsuCluster, SHARDS } from "../cluster/khonsu-cluster.ts";
import type { MemberProcess } from "../cluster/member-process.ts";
import { startCluster, type TestCluster, until } from "../cluster/test-cluster.ts";
import { concurrently } from "../concurrently.ts";
import { BATCH, SEALED } from "../one-row.ts";
import { onDisk } from "../peers/durable-peers.ts";
import type { Detail } from "../report/row.ts";

const IN_FLIGHT = 64;
const IDLE_MS = 3000;
const KEYS = 10_000;

/** Processor microseconds a write. */
interface Cost {
  readonly leader: number;
  readonly all: number;
}

export async function costOfReplication(three: TestCluster, count: number): Promise<Detail[]> {
  const replicated = await costOn(three, count);
  const one = await startCluster((directory) => khonsuCluster(directory, { shards: SHARDS }, 1));
  const alone = await costOn(one, count).finally(() => one.close());
  const embedded = await embeddedCost(count);
  const row = (what: string, microseconds: number): Detail => ({
    [`write of one key of ${SEALED.length} bytes, ${IN_FLIGHT} in flight`]: what,
    "processor µs a write": Math.round(microseconds),
    "writes a processor second": Math.round(1e6 / microseconds),
    "of embedded %": Math.round((100 * embedded) / microseconds),
    "of one node %": Math.round((100 * alone.leader) / microseconds),
  });
  return [
    row("embedded on disk, with its caller", embedded),
    row("one node, not replicated", alone.leader),
    row("three nodes: the leader", replicated.leader),
    row("three nodes: all together", replicated.all),
  ];
}

async function costOn(cluster: TestCluster, count: number): Promise<Cost> {
  const { leader, shards } = await busiest(cluster);
  const { kind, addresses, members } = cluster;
  const clients = await ClientFork.open({ kind, addresses: [addresses[leader]!] }, 1);
  const used = () => Promise.all(members.map((member: MemberProcess) => member.cpuSeconds()));
  const during = async (what: () => Promise<unknown>) => {
    const [started, before] = [performance.now(), await used()];
    await what();
    const after = await used();
    return { seconds: (performance.now() - started) / 1000, cpu: after.map((each, m) => each - before[m]!) };
  };
  const write = () => clients.run("write", count, IN_FLIGHT, shards);
  try {
    await write();
    const idle = await during(() => new Promise((resolve) => setTimeout(resolve, IDLE_MS)));
    const busy = await during(write);
    const beyondIdle = (cpu: number, m: number) => cpu - (idle.cpu[m]! / idle.seconds) * busy.seconds;
    const costs = busy.cpu.map((cpu, m) => Math.max(0, beyondIdle(cpu, m)));
    const all = costs.reduce((sum, cost) => sum + cost, 0);
    return { leader: microseconds(costs[leader]!, count), all: microseconds(all, count) };
  } finally {
    await clients.close();
  }
}

/** The counters of the system have steps of 10 ms: never less than one of them. */
function microseconds(seconds: number, count: number): number {
  return (Math.max(seconds, 0.01) * 1e6) / count;
}

/** The member that leads most shards, and which. */
async function busiest(cluster: TestCluster): Promise<{ leader: number; shards: readonly number[] }> {
  const byLeader = cluster.members.map((): number[] => []);
  for (let shard = 0; shard < SHARDS; shard++) {
    const key = keyIn(shard);
    byLeader[await until(() => cluster.leaderOf(key))]!.push(shard);
  }
  const most = Math.max(...byLeader.map((shards) => shards.length));
  const leader = byLeader.findIndex((shards) => shards.length === most);
  return { leader, shards: byLeader[leader]! };
}

function keyIn(shard: number): string {
  for (let index = 0; ; index++) if (KEY_MAP.shardOf(`key/${index}`) === shard) return `key/${index}`;
}

async function embeddedCost(count: number): Promise<number> {
  const subject = onDisk("embedded", async (directory) => {
    const db = await Khonsu.open({ storage: await LevelStorage.open(directory), detectLeaks: false });
    let next = 0;
    const commit = () => db.transact((tx) => tx.write(`key/${next++ % KEYS}`, BATCH));
    return { run: concurrently(IN_FLIGHT, commit), close: () => db.close() };
  });
  const prepared = await subject.prepare();
  try {
    await prepared.run(count, []);
    const before = process.cpuUsage();
    await prepared.run(count, []);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / count;
  } finally {
    await prepared.close?.();
  }
}
