import fc from "fast-check";
import { expect, test } from "vitest";
import { SendQueue } from "./send-queue.ts";

/** A queue of numbers that weigh what they are, on a stream that takes `room` messages before it wants no more. */
function open(frameBytes: number) {
  const turns: (() => void)[] = [];
  const messages: number[][] = [];
  const stream = {
    room: Number.POSITIVE_INFINITY,
    write(message: Uint8Array) {
      messages.push([...message]);
      return --this.room > 0;
    },
  };
  const queue = new SendQueue<number>({
    frameBytes,
    departure: { schedule: (run) => turns.push(run), hasLeft() {} },
    stream,
    encode: (items) => Uint8Array.from(items),
  });
  const endTurn = () => {
    for (const run of turns.splice(0)) run();
  };
  return { queue, messages, stream, endTurn, turns };
}

test("what comes within a turn leaves at its end, in order, in messages of bounded size and no more than are needed", () => {
  const property = fc.property(
    fc.array(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 20 }), { maxLength: 5 }),
    (batches) => {
      const { queue, messages, endTurn } = open(30);
      for (const batch of batches) {
        const before = messages.length;
        for (const item of batch) queue.put(item, item);
        expect(messages).toHaveLength(before);
        endTurn();
        const sent = messages.slice(before);
        expect(sent.flat()).toEqual(batch);
        const weights = sent.map((message) => message.reduce((sum, item) => sum + item, 0));
        for (const [i, message] of sent.entries()) {
          if (message.length > 1) expect(weights[i]).toBeLessThanOrEqual(30);
          if (i > 0) expect(weights[i - 1]! + message[0]!).toBeGreaterThan(30);
        }
        expect(queue.isEmpty).toBe(true);
        expect(queue.bytes).toBe(0);
      }
    },
  );
  fc.assert(property);
});

test("nothing leaves while the stream has as much as it wants, and what waits is counted", () => {
  const { queue, messages, stream, endTurn, turns } = open(10);
  stream.room = 1;
  for (const item of [9, 8, 7]) queue.put(item, item);
  endTurn();
  expect(messages).toEqual([[9]]);
  queue.put(6, 6);
  expect(turns).toEqual([]);
  expect(queue.bytes).toBe(21);
  stream.room = 2;
  queue.resume();
  endTurn();
  expect(messages).toEqual([[9], [8], [7]]);
  stream.room = 2;
  queue.resume();
  endTurn();
  expect(messages.at(-1)).toEqual([6]);
});

test("the end forgets what waits, and nothing leaves any more", () => {
  const { queue, messages, endTurn } = open(10);
  queue.put(1, 1);
  queue.end();
  queue.put(2, 2);
  endTurn();
  expect(messages).toEqual([]);
  expect(queue.bytes).toBe(0);
});
