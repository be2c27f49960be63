/** Arrow IPC from others: all types as they are, and bytes that were made to do harm. */
import { type RecordBatch, RecordBatchFileWriter, RecordBatchStreamWriter } from "apache-arrow";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isKhonsuError } from "../../src/errors.ts";
import { concatBatches } from "../../src/table/concat.ts";
import { decodeForeign } from "../../src/table/foreign-ipc.ts";
import { decodeBatches, encodeBatches } from "../../src/table/ipc.ts";
import { batchForIpc } from "../../src/table/ipc-input.ts";
import { batchOfColumns, tuplesOf } from "./batches.ts";
import { buildData } from "./build-data.ts";
import { randomModels } from "./models.ts";
import { Random } from "./random.ts";
import { randomType, TYPE_CASES } from "./types.ts";

function randomBatch(random: Random, type = randomType(random, 3), count = 1 + random.below(8)) {
  return batchForIpc(batchOfColumns([buildData(type, randomModels(type, count, random), random)]));
}

describe.each(TYPE_CASES)("foreign $name", ({ make }) => {
  test("comes in from a stream and from a file, its rows as they were", () => {
    for (let seed = 0; seed < 8; seed++) {
      const batch = randomBatch(new Random(seed), make());
      for (const writer of [RecordBatchStreamWriter, RecordBatchFileWriter]) {
        const bytes = writer.writeAll([batch, batch]).toUint8Array(true);
        expect(tuplesOf(decodeForeign(bytes)), `seed ${seed}`).toEqual(
          tuplesOf(concatBatches([batch, batch])),
        );
      }
    }
  });
});

/** Every value; those that are right in Arrow and beyond what JavaScript holds, such as a date in the year 10^9, may throw. */
function readAll(batch: RecordBatch): void {
  try {
    tuplesOf(batch);
  } catch (error) {
    if (!(error instanceof TypeError && error.message.includes("not safe to convert"))) throw error;
  }
}

/** A batch that is believed is one that can be used: every row read, joined with others, and written again. */
function assertUsable(bytes: Uint8Array): boolean {
  try {
    const batch = decodeForeign(bytes);
    readAll(batch);
    decodeBatches(encodeBatches([concatBatches([batch, batch])]));
    return true;
  } catch (error) {
    if (!isKhonsuError(error)) throw error;
    return false;
  }
}

const change = fc.tuple(fc.nat(), fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)));

test("bytes that were changed are refused, or make a batch that can be used", { timeout: 120_000 }, () => {
  let refused = 0;
  let used = 0;
  const property = fc.property(
    fc.noBias(fc.integer()),
    fc.array(change, { minLength: 1, maxLength: 4 }),
    fc.boolean(),
    (seed, changes, isFile) => {
      const writer = isFile ? RecordBatchFileWriter : RecordBatchStreamWriter;
      const bytes = writer
        .writeAll([randomBatch(new Random(seed))])
        .toUint8Array(true)
        .slice();
      for (const [place, value] of changes) bytes[place % bytes.length] = value;
      if (assertUsable(bytes)) used++;
      else refused++;
    },
  );
  fc.assert(property, { numRuns: 3000 });
  expect(refused).toBeGreaterThan(300);
  expect(used).toBeGreaterThan(300);
});

test("every byte of a small stream, changed to what offsets and lengths are made of", {
  timeout: 120_000,
}, () => {
  const random = new Random(1);
  const types = ["Utf8", "List", "Dictionary"].map((name) =>
    TYPE_CASES.find((each) => each.name.startsWith(name))!.make(),
  );
  for (const type of types) {
    const bytes = RecordBatchStreamWriter.writeAll([randomBatch(random, type, 3)])
      .toUint8Array(true)
      .slice();
    for (let place = 0; place < bytes.length; place++) {
      const before = bytes[place]!;
      for (const value of [0, 1, 0x7f, 0x80, 0xff, before ^ 4]) {
        bytes[place] = value;
        assertUsable(bytes);
      }
      bytes[place] = before;
    }
    expect(assertUsable(bytes)).toBe(true);
  }
});

test("streams that are cut short, and bytes of any kind, are refused or make a batch that can be used", () => {
  const bytes = encodeBatches([randomBatch(new Random(3))]);
  for (let length = 0; length < bytes.length; length++) assertUsable(bytes.subarray(0, length));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      assertUsable(noise);
    }),
    { numRuns: 1000 },
  );
  expect(() => decodeForeign(new Uint8Array(0))).toThrow(
    expect.objectContaining({ code: "KHONSU_INVALID_BATCH" }),
  );
});
