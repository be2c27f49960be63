import { systemRuntime } from "@khonsu/core";
import { afterEach, expect, test, vi } from "vitest";

import { connectCluster } from "../src/index.ts";
import { one, rows, valuesOf } from "./helpers/batches.ts";
import { MemoryCluster } from "./helpers/memory-cluster.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test("what one client commits another one reads, over one shard and several", async () => {
  const cluster = await MemoryCluster.open({ nodes: 3 });
  const first = await cluster.connect();
  const second = await cluster.connect({ addresses: [cluster.addresses[2]!] });
  await first.transact((tx) => {
    for (const key of ["a", "b", "c", "d"]) tx.write(key, one(1));
  });
  const read = await second.transact(async (tx) => {
    const keys: string[] = [];
    for await (const [key] of tx.scan()) keys.push(key);
    return { keys, a: valuesOf(await tx.read("a")) };
  });
  expect(read).toEqual({ keys: ["a", "b", "c", "d"], a: [1] });
  expect(second.addresses).toEqual(expect.arrayContaining(cluster.addresses));
  await first.close();
  await second.close();
  await cluster.close();
});

test.each([[[]], [["10.0.0.1"]], [["http://10.0.0.1:1"]], [["a:b"]], [["10.0.0.1:1/x"]]])(
  "addresses that cannot be are refused before anything is tried: %j",
  async (addresses) => {
    await expect(connectCluster({ addresses })).rejects.toMatchObject({ code: "KHONSU_INVALID_OPTION" });
  },
);

/** CL-7: the client's own clock is nowhere asked; what it goes by is the node's, and the time that passes. */
test("a client whose clock is centuries off commits at the time of the node", async () => {
  const cluster = await MemoryCluster.open();
  const clock = vi.spyOn(Date, "now").mockReturnValue(0);
  const client = await cluster.connect({
    runtime: { ...systemRuntime, now: () => systemRuntime.now() + 1e12 },
  });
  let committedAt = 0;
  await client.transact((tx) => {
    tx.write("k", one(1));
    tx.onCommit((timestamp) => {
      committedAt = timestamp;
    });
  });
  clock.mockRestore();
  expect(Math.abs(committedAt / 2048 - Date.now())).toBeLessThan(60_000);
  await client.close();
  await cluster.close();
});

test("what is no id of a transaction of the cluster is refused", async () => {
  const cluster = await MemoryCluster.open({ shards: 2 });
  const client = await cluster.connect();
  const malformed = { code: "KHONSU_REQUEST_MALFORMED" };
  await expect(client.outcomeOf("nonsense")).rejects.toMatchObject(malformed);
  await expect(client.outcomeOf({ birth: 1, random: 2, home: 7 })).rejects.toMatchObject(malformed);
  await client.close();
  await cluster.close();
});

test("questions of all sizes up to the largest go together, and no frame is larger than the node takes", async () => {
  let commits = 0;
  const cluster = await MemoryCluster.open({
    server: { messageBytesMax: 400_000 },
    routes: { limits: { questionBytesMax: 390_000 } },
    around: ({ coordinators }) => ({
      coordinator: {
        commit: (...call) => {
          commits++;
          return coordinators.commit(...call);
        },
        recover: (...call) => coordinators.recover(...call),
      },
    }),
  });
  const client = await cluster.connect();
  const sizes = [10, 90_000, 200, 90_000, 50_000, 90_000, 3, 40_000];
  await Promise.all(
    sizes.map((size, i) => {
      const values = Array.from({ length: size }, (_, value) => value);
      return client.session().transact((tx) => tx.append(`k${i}`, rows(values)));
    }),
  );
  const found = await client.transact((tx) => Promise.all(sizes.map((_, i) => tx.read(`k${i}`))));
  expect(found.map((batch) => batch?.numRows)).toEqual(sizes);
  // A frame that is too large would have ended the session, and all would have been asked again in another one.
  expect(commits).toBe(sizes.length);
  await client.close();
  await cluster.close();
});
