import { Khonsu } from "@khonsu/core";
import { expect, test } from "vitest";
import { BoundedQueue } from "../src/bounded-queue.ts";
import { takeFirst } from "../src/take-first.ts";

test("every item is taken once, in order, and the queue never holds more than its capacity", async () => {
  await using db = await Khonsu.open();
  const queue = new BoundedQueue("q", 3);
  const items = Array.from({ length: 100 }, (_, i) => i);
  const sizes: number[] = [];
  const taken: number[] = [];
  const produce = async () => {
    for (const item of items) {
      const size = await db.transact((tx) => {
        queue.put(tx, item);
        return queue.size(tx);
      });
      sizes.push(size);
    }
  };
  const consume = async () => {
    for (const _ of items) taken.push(await db.transact((tx) => queue.take(tx)));
  };
  await Promise.all([produce(), consume()]);
  expect(taken).toEqual(items);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(3);
});

test("two takers that wait get one item each", async () => {
  await using db = await Khonsu.open();
  const queue = new BoundedQueue("q", 2);
  const takers = [1, 2].map(() => db.transact((tx) => queue.take(tx)));
  await db.transact((tx) => {
    queue.put(tx, 1);
    queue.put(tx, 2);
  });
  expect((await Promise.all(takers)).toSorted()).toEqual([1, 2]);
});

test("the urgent queue goes first, and either of them wakes who waits for both", async () => {
  await using db = await Khonsu.open();
  const urgent = new BoundedQueue("urgent", 2);
  const normal = new BoundedQueue("normal", 2);
  await db.transact((tx) => {
    normal.put(tx, 1);
    urgent.put(tx, 2);
  });
  expect(await db.transact(takeFirst(urgent, normal))).toBe(2);
  expect(await db.transact(takeFirst(urgent, normal))).toBe(1);
  for (const queue of [normal, urgent]) {
    const waiting = db.transact(takeFirst(urgent, normal));
    await db.transact((tx) => queue.put(tx, 3));
    expect(await waiting).toBe(3);
  }
});

test("who waits can be told to stop", async () => {
  await using db = await Khonsu.open();
  const queue = new BoundedQueue("q", 2);
  const controller = new AbortController();
  const waiting = db.transact((tx) => queue.take(tx), { signal: controller.signal });
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: "KHONSU_ABORTED" });
});
