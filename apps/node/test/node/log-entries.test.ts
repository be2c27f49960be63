/** What a transaction costs in entries of the log, counted from outside. */
import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningNode } from "../../src/node/running-node.ts";
import { LocalCluster } from "./local-cluster.ts";

const batch = (value: number): RecordBatch => tableFromArrays({ value: Int32Array.of(value) }).batches[0]!;
const COUNT = 50;
const SHARDS = 4;

let cluster: LocalCluster;
beforeAll(async () => {
  cluster = await LocalCluster.open(3, { placement: { shards: SHARDS } });
});
afterAll(() => cluster.close());

/** Entries decided so far, over all shards, and the leaders that decided them; once every shard has one. */
async function logs(): Promise<{ entries: number; leaders: string }> {
  for (;;) {
    const shards = cluster.nodes.flatMap((node) =>
      node.status().shards.filter(({ here, leader }) => here?.role === "leader" && leader === node.node),
    );
    const numbers = new Set(shards.map(({ shard }) => shard));
    if (numbers.size === SHARDS && shards.length === SHARDS) {
      return {
        entries: shards.reduce((sum, { here }) => sum + here!.decided, 0),
        leaders: shards
          .map(({ shard, leader }) => `${shard}:${leader}`)
          .sort()
          .join(),
      };
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * How many entries the logs grew by while `each` ran `COUNT` times, and how many of them may be floors that are moved by the clock:
 * one a shard and half a second at most. Again, if a leader changed meanwhile, which costs entries of its own.
 */
async function entriesOf(
  each: (node: RunningNode, i: number) => Promise<unknown>,
): Promise<{ grown: number; floors: number }> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const before = await logs();
    const begun = performance.now();
    for (let i = 0; i < COUNT; i++) await each(cluster.node(1 + (i % 3)), i);
    const after = await logs();
    const floors = SHARDS * (1 + Math.ceil((performance.now() - begun) / 500));
    if (after.leaders === before.leaders) return { grown: after.entries - before.entries, floors };
  }
  throw new Error("a leader changed in each attempt");
}

// In sessions of their own: what a session has seen in one shard may cost another shard that is idle an entry that raises its clock.
test("a transaction of one shard is one entry; one that only reads one key is none", async () => {
  const written = await entriesOf((node, i) =>
    node.session().transact(async (tx) => {
      await tx.read(`key-${i}`);
      tx.write(`key-${i}`, batch(i));
    }),
  );
  expect(written.grown).toBeGreaterThanOrEqual(COUNT);
  expect(written.grown).toBeLessThanOrEqual(COUNT + written.floors);
  const read = await entriesOf((node, i) =>
    node.session().transact((tx) => tx.read(`key-${i}`), { readOnly: true }),
  );
  expect(read.grown).toBeLessThanOrEqual(read.floors);
  expect(COUNT).toBeGreaterThan(read.floors);
});
