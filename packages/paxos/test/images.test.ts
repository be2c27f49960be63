/** How a driver has images made: of the state as it was, a piece in a turn. */
import { expect, test } from "vitest";
import { takeCheckpoint } from "../src/driver/images.ts";
import { crc32c, type Slot } from "../src/index.ts";
import { MemoryDisk } from "../src/testing/index.ts";

test("an image is taken a piece in a turn, and is what the pieces are together", async () => {
  const order: string[] = [];
  const stateMachine = {
    apply: () => undefined,
    *save() {
      for (const piece of ["one", "two", "three"]) {
        order.push(piece);
        yield Buffer.from(piece);
      }
    },
    restore: () => {},
  };
  const clock = {
    now: () => 0,
    after: (_milliseconds: number, callback: () => void) => {
      order.push("turn");
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    },
  };
  const storage = new MemoryDisk().open();
  await storage.recover();
  const saved: Uint8Array[] = [];
  const spied = {
    ...storage,
    saveImage: async (_slot: Slot, image: Uint8Array) => void saved.push(image),
  } as typeof storage;
  const effect = { kind: "takeCheckpoint", slot: 7 as Slot, preface: Buffer.from("zero") } as const;
  const taken = await takeCheckpoint({ clock, stateMachine, storage: spied }, effect);
  expect(order).toEqual(["one", "turn", "two", "turn", "three", "turn"]);
  expect(saved.map(String)).toEqual([String(new Uint8Array(Buffer.from("zeroonetwothree")))]);
  expect(taken).toEqual({ kind: "checkpointTaken", slot: 7, size: 15, checksum: crc32c(saved[0]!) });
});
