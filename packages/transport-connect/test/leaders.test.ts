/** Clients ask those who lead: by hints, on which nothing rests. */
import { KeyMap } from "@khonsu/cluster";
import { expect, test } from "vitest";
import { one, valuesOf } from "./helpers/batches.ts";
import { closing } from "./helpers/closing.ts";
import { CutProxy } from "./helpers/cut-proxy.ts";
import { MemoryCluster, type MemoryClusterOptions } from "./helpers/memory-cluster.ts";

const SHARDS = 3;
const map = new KeyMap({ shardCount: SHARDS });
/** A key of each shard. */
const KEYS = Array.from({ length: SHARDS }, (_, shard) => {
  for (let i = 0; ; i++) if (map.shardOf(`key ${i}`) === shard) return `key ${i}`;
});

/** A cluster that tells who leads, and notes which node was asked for what: "read 0", "commit 2" by node. */
async function open(leaders: (number | undefined)[], options: MemoryClusterOptions = {}) {
  const asked = new Map<number, string[]>();
  const note = (node: number, what: string) => asked.set(node, [...(asked.get(node) ?? []), what]);
  const around: MemoryClusterOptions["around"] = (node, self) => ({
    shards: {
      placement: node.router.placement,
      ask: (shard, request, patienceMs) => {
        note(self, `${request.kind} ${shard}`);
        return node.router.ask(shard, request, patienceMs);
      },
    },
    coordinator: {
      commit: (id, requests) => {
        note(self, `commit ${id.home}`);
        return node.coordinators.commit(id, requests);
      },
      recover: (...call) => node.coordinators.recover(...call),
    },
  });
  const cluster = await MemoryCluster.open({
    nodes: 3,
    shards: SHARDS,
    leaderOf: (shard) => leaders[shard],
    around,
    ...options,
  });
  return { cluster: closing(cluster), asked };
}

type Client = Awaited<ReturnType<MemoryCluster["connect"]>>;

async function readAndWrite(client: Client, key: string): Promise<void> {
  await client
    .session()
    .transact(async (tx) => tx.write(key, one((valuesOf(await tx.read(key))?.[0] ?? 0) + 1)));
}

/** Reads and writes until each question was for the node that leads, for every shard. */
async function untilDirect(client: Client, asked: Map<number, string[]>, leaders: readonly number[]) {
  await expect
    .poll(async () => {
      asked.clear();
      for (const key of KEYS) await readAndWrite(client, key);
      return [...asked].sort(([a], [b]) => a - b);
    })
    .toEqual(
      [1, 2, 3].flatMap((node) => {
        const shards = leaders.flatMap((leader, shard) => (leader === node ? [shard] : []));
        const questions = shards.flatMap((shard) => [`read ${shard}`, `commit ${shard}`]);
        return questions.length === 0 ? [] : [[node, questions]];
      }),
    );
}

test("what is asked goes to the node that leads the shard, and a commit to the one that leads its home", async () => {
  const leaders = [3, 1, 2];
  const { cluster, asked } = await open(leaders);
  const client = closing(await cluster.connect({ addresses: [cluster.addresses[0]!] }));
  await untilDirect(client, asked, leaders);
  expect(client.nodes).toEqual([1, 3, 2]);
  expect(client.address).toBe(cluster.addresses[0]);
  // Those that lead change, and the client hears of it on the sessions that it has.
  leaders.splice(0, SHARDS, 2, 2, 3);
  await untilDirect(client, asked, leaders);
});

test("a client whose leader is gone asks another node at once, and what was under way takes effect once", async () => {
  let cluster: MemoryCluster | undefined;
  const doomed: MemoryClusterOptions["around"] = (node, self) => ({
    coordinator: {
      commit: async (id, requests) => {
        const result = await node.coordinators.commit(id, requests);
        if (self !== 2) return result;
        await cluster?.cutOff(2);
        return new Promise<never>(() => {});
      },
      recover: (...call) => node.coordinators.recover(...call),
    },
  });
  ({ cluster } = await open([2, 2, 2], { around: doomed }));
  const client = closing(await cluster.connect({ addresses: [cluster.addresses[0]!] }));
  await expect
    .poll(async () => {
      await client.transact((tx) => tx.read(KEYS[0]!));
      return client.nodes;
    })
    .toEqual([1, 2]);
  await readAndWrite(client, KEYS[0]!);
  expect(client.nodes).toEqual([1]);
  expect(valuesOf(await client.transact((tx) => tx.read(KEYS[0]!)))).toEqual([1]);
});

test("the node that is always there is lost: another one to which there is a link takes its place", async () => {
  const leaders = [1, 2, 3];
  const { cluster, asked } = await open(leaders);
  const client = closing(await cluster.connect({ addresses: [cluster.addresses[0]!] }));
  await untilDirect(client, asked, leaders);
  await cluster.cutOff(1);
  for (const key of KEYS) await readAndWrite(client, key);
  expect(cluster.addresses.slice(1)).toContain(client.address);
});

/** Were a request to wait for such a node, it would wait for ever. */
test("a leader that only others reach costs a client nothing but an attempt in the background", async () => {
  let swallowed: CutProxy | undefined;
  const members = () => [
    { node: 1, address: cluster.addresses[0]! },
    { node: 2, address: swallowed!.address },
    { node: 3, address: "unheard-of.invalid:1" },
  ];
  const describe = () => ({ clusterId: "test", node: 1, members: swallowed === undefined ? [] : members() });
  const { cluster } = await open([2, 3, 1], { nodes: 1, routes: { describe } });
  swallowed = closing(await CutProxy.open(cluster.addresses[0]!));
  swallowed.silence();
  const client = closing(await cluster.connect({ addresses: [cluster.addresses[0]!], connectMs: 2 ** 30 }));
  for (let round = 0; round < 3; round++) for (const key of KEYS) await readAndWrite(client, key);
  expect(client.nodes).toEqual([1]);
  expect(valuesOf(await client.transact((tx) => tx.read(KEYS[0]!)))).toEqual([3]);
});

test("an address that several members share is no more than one link", async () => {
  const describe = () => ({
    clusterId: "test",
    node: 1,
    members: [1, 2, 3].map((node) => ({ node, address: cluster?.addresses[0] ?? "" })),
  });
  let cluster: MemoryCluster | undefined;
  ({ cluster } = await open([1, 2, 3], { nodes: 1, routes: { describe } }));
  const client = closing(await cluster.connect());
  for (let round = 0; round < 3; round++) for (const key of KEYS) await readAndWrite(client, key);
  // What it has dialled in vain is closed again.
  await expect.poll(() => cluster.members[0]!.server.connections).toBe(1);
  expect(client.nodes).toEqual([1]);
});
