/** Three nodes over plain TCP: a write through one, a read through another, a leader that is gone, and its return. */
import { ShardMapPlacement } from "@khonsu/cluster";
import { type Cluster, type RunningNode, startNode } from "./node.ts";
import { one, valueIn } from "./numbers.ts";

const ids = [1, 2, 3];
const cluster: Cluster = {
  placement: new ShardMapPlacement({ shardCount: 2, nodes: ids.map((id) => ({ id })) }),
  ports: new Map(),
  disks: new Map(),
};

const nodes = new Map<number, RunningNode>();
for (const id of ids) nodes.set(id, await startNode(id, cluster));
console.log(`three nodes listen on ${[...cluster.ports.values()].join(", ")}`);

const write = (id: number, value: number) =>
  nodes
    .get(id)!
    .session()
    .transact((tx) => {
      for (const key of ["a", "b", "c"]) tx.write(key, one(value));
    });
const read = (id: number) =>
  nodes
    .get(id)!
    .session()
    .transact(
      async (tx) => [valueIn(await tx.read("a")), valueIn(await tx.read("b")), valueIn(await tx.read("c"))],
      { readOnly: true },
    );

await write(1, 10);
console.log(`written through node 1, read through node 3: ${await read(3)}`);

const leader = [...nodes.values()].find((node) => node.leads(0))!;
await leader.stop();
nodes.delete(leader.id);
const [other] = nodes.keys();
await write(other!, 20);
console.log(
  `node ${leader.id} led and is gone; written and read through node ${other}: ${await read(other!)}`,
);

nodes.set(leader.id, await startNode(leader.id, cluster));
console.log(`node ${leader.id} is back and reads: ${await read(leader.id)}`);
for (const node of nodes.values()) await node.stop();
