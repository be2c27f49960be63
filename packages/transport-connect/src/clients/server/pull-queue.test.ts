import { expect, test } from "vitest";
import { PullQueue } from "./pull-queue.ts";

const open = () => new PullQueue<number>({ frameBytes: 10, endOfTurn: () => Promise.resolve() });

async function framesOf(queue: PullQueue<number>): Promise<(readonly number[])[]> {
  const frames: (readonly number[])[] = [];
  for await (const frame of queue.frames()) frames.push(frame);
  return frames;
}

test("what comes together leaves together, up to the size of a frame", async () => {
  const queue = open();
  const frames = framesOf(queue);
  for (const item of [1, 2, 3, 4]) queue.put(item, 4);
  queue.put(5, 100);
  queue.put(6, 1);
  queue.end();
  // What is too large for any frame has one of its own, so that no frame exceeds what the other side takes.
  expect(await frames).toEqual([[1, 2], [3, 4], [5], [6]]);
  expect(queue.bytes).toBe(0);
});

test("an error ends it at once, and what waited is forgotten", async () => {
  const queue = open();
  queue.put(1, 4);
  queue.end(new Error("over"));
  queue.put(2, 4);
  expect(queue.bytes).toBe(0);
  await expect(framesOf(queue)).rejects.toThrow("over");
});

test("who stops reading ends it: nothing waits any more, and nothing more is taken", async () => {
  const queue = open();
  for (const item of [1, 2, 3]) queue.put(item, 8);
  const reader = queue.frames();
  expect((await reader.next()).value).toEqual([1]);
  expect(queue.bytes).toBe(16);
  await reader.return();
  queue.put(4, 8);
  expect(queue.bytes).toBe(0);
});
