import type { CommitTimestamp } from "@khonsu/core/isolation";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ShardDriver } from "../../test/shard-driver.ts";
import { stateHash } from "../shard/state-hash.ts";
import { ShardStateMachine } from "../shard/state-machine.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint-codec.ts";

/** A shard with versions, tombstones, appended values, outcomes of all kinds, and prepared transactions. */
function sample(): ShardStateMachine {
  const shard = new ShardDriver(1);
  shard.commit({ puts: { a: "one", b: "two", c: "three" } });
  shard.commit({ puts: { a: "four" }, deletes: ["b"] });
  shard.commit({ rows: { log: [1] } });
  shard.commit({ rows: { log: [2, 3] } });
  shard.commit({ puts: { d: "x".repeat(500) } });
  shard.commit({ puts: { a: "lost" }, snapshot: 1, baselines: { a: 1 } });
  shard.prepare({ puts: { c: "later" }, participants: [0, 1], home: 0 });
  shard.prepare({ puts: { d: "ignored" }, onConflict: "ignore", baselines: { d: 1 }, participants: [1, 2] });
  return shard.machine;
}

function bytesOf(machine: ShardStateMachine, chunkBytesMax = 256): Uint8Array[] {
  return [...encodeCheckpoint(machine.checkpoint(), chunkBytesMax)];
}

test("a restored shard has the same state, what is prepared included", () => {
  const machine = sample();
  const chunks = bytesOf(machine);
  expect(chunks.length).toBeGreaterThan(3);
  expect(Math.max(...chunks.map((chunk) => chunk.length))).toBe(256);
  const restored = new ShardStateMachine(1, decodeCheckpoint(chunks));
  expect(stateHash(restored)).toBe(stateHash(machine));
  expect(restored.preparedCount).toBe(2);
  expect(restored.clock).toBe(machine.clock);
  expect(restored.watermark).toBe(machine.watermark);
  expect(Buffer.concat(bytesOf(restored))).toEqual(Buffer.concat(chunks));
});

test("bytes of a checkpoint may be cut anywhere", () => {
  const machine = sample();
  const whole = Buffer.concat(bytesOf(machine));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), (sizes) => {
      const chunks: Uint8Array[] = [];
      for (let at = 0, i = 0; at < whole.length; i++) {
        const size = sizes[i % sizes.length]!;
        chunks.push(whole.subarray(at, at + size));
        at += size;
      }
      expect(stateHash(new ShardStateMachine(1, decodeCheckpoint(chunks)))).toBe(stateHash(machine));
    }),
    { numRuns: 50 },
  );
});

test("whatever is damaged, missing, repeated or out of order is found", () => {
  const chunks = bytesOf(sample());
  const whole = Buffer.concat(chunks);
  const isCorrupt = (parts: Uint8Array[]) =>
    expect(() => decodeCheckpoint(parts)).toThrow(
      expect.objectContaining({ code: "KHONSU_CHECKPOINT_CORRUPT" }),
    );
  for (let at = 0; at < whole.length; at++) {
    const damaged = Uint8Array.from(whole);
    damaged[at]! ^= 0x10;
    isCorrupt([damaged]);
    isCorrupt([whole.subarray(0, at)]);
  }
  isCorrupt([...chunks.slice(0, 2), ...chunks.slice(3)]);
  isCorrupt([chunks[0]!, chunks[2]!, chunks[1]!, ...chunks.slice(3)]);
  isCorrupt([...chunks, chunks.at(-1)!]);
  expect(() => new ShardStateMachine(2, decodeCheckpoint(chunks))).toThrow("the checkpoint is of shard 1");
});

test("a value that was appended to is stored once, however many versions of it are kept", () => {
  const shard = new ShardDriver(0);
  for (let i = 0; i < 40; i++) shard.commit({ rows: { log: [i] } });
  const one = bytesOf(shard.machine).reduce((sum, { length }) => sum + length, 0);
  for (let i = 40; i < 80; i++) shard.commit({ rows: { log: [i] } });
  const two = bytesOf(shard.machine).reduce((sum, { length }) => sum + length, 0);
  expect(two).toBeLessThan(2.1 * one);
});

test("an empty shard, and the floors", () => {
  const machine = new ShardStateMachine(3);
  machine.apply({ kind: "advance", timestamp: 9 as CommitTimestamp });
  machine.apply({ kind: "floors", gcFloor: 5 as CommitTimestamp, idFloor: 7 });
  const restored = new ShardStateMachine(3, decodeCheckpoint(bytesOf(machine)));
  expect([restored.clock, restored.versions.floor, restored.idFloor]).toEqual([9, 5, 7]);
  expect(new ShardStateMachine(3, decodeCheckpoint(bytesOf(new ShardStateMachine(3)))).idFloor).toBe(-1);
});
