import { expect, test } from "vitest";
import { Outbox } from "./outbox.ts";

const open = () => new Outbox<number>({ frameBytes: 10, endOfTurn: () => Promise.resolve() });

async function framesOf(outbox: Outbox<number>): Promise<number[][]> {
  const frames: number[][] = [];
  for await (const frame of outbox.frames()) frames.push(frame);
  return frames;
}

test("what comes together leaves together, up to the size of a frame", async () => {
  const outbox = open();
  const frames = framesOf(outbox);
  for (const item of [1, 2, 3, 4]) outbox.put(item, 4);
  outbox.put(5, 100);
  outbox.put(6, 1);
  outbox.end();
  // What is too large for any frame has one of its own, so that no frame exceeds what the other side takes.
  expect(await frames).toEqual([[1, 2], [3, 4], [5], [6]]);
  expect(outbox.bytes).toBe(0);
});

test("an error ends it at once, and what waited is forgotten", async () => {
  const outbox = open();
  outbox.put(1, 4);
  outbox.end(new Error("over"));
  outbox.put(2, 4);
  expect(outbox.bytes).toBe(0);
  await expect(framesOf(outbox)).rejects.toThrow("over");
});

test("who puts in waits until there is room, or until nobody reads any more", async () => {
  const outbox = open();
  outbox.put(1, 8);
  outbox.put(2, 8);
  outbox.put(3, 8);
  let hasRoom = false;
  const room = outbox.below(8).then(() => {
    hasRoom = true;
  });
  const reader = outbox.frames();
  expect((await reader.next()).value).toEqual([1]);
  expect(hasRoom).toBe(false);
  await reader.return();
  await room;
  expect(outbox.isEnded).toBe(true);
});
