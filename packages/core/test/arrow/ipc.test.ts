/** Encoding and decoding against the rows themselves, and against damaged bytes. */
import { RecordBatchStreamWriter, tableFromIPC } from "apache-arrow";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isKhonsuError } from "../../src/errors.ts";
import { concatBatches } from "../../src/table/concat.ts";
import { decodeBatches, encodeBatches } from "../../src/table/ipc.ts";
import { batchForIpc } from "../../src/table/ipc-input.ts";
import { schemasMatch } from "../../src/table/schema.ts";
import { batchOfColumns, tuplesOf } from "./batches.ts";
import { buildData, buildSliced } from "./build-data.ts";
import { randomModels } from "./models.ts";
import { Random } from "./random.ts";
import { randomType, TYPE_CASES } from "./types.ts";

function randomBatches(
  make: () => import("apache-arrow").DataType,
  counts: readonly number[],
  random: Random,
) {
  const type = make();
  return counts.map((count) => {
    const models = randomModels(type, count, random);
    const padding = randomModels(type, 1 + random.below(9), random);
    return batchOfColumns([
      random.chance() ? buildData(type, models, random) : buildSliced(type, models, random, padding),
    ]);
  });
}

describe.each(TYPE_CASES)("IPC of $name", ({ make }) => {
  test("gives every row back, of whole, sliced, empty and concatenated batches", () => {
    for (let seed = 0; seed < 15; seed++) {
      const random = new Random(seed);
      const batches = randomBatches(make, [random.below(20), 0, random.below(40), 5], random);
      for (const values of [batches, [concatBatches(batches)], [batches[1]!]]) {
        const decoded = decodeBatches(encodeBatches(values));
        expect(decoded.flatMap(tuplesOf), `seed ${seed}`).toEqual(values.flatMap(tuplesOf));
        expect(schemasMatch(decoded[0]!.schema, values[0]!.schema)).toBe(true);
      }
    }
  });
});

test("random nested schemas and slices come back, through any number of rounds", { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.noBias(fc.integer()), (seed) => {
      const random = new Random(seed);
      const types = Array.from({ length: 1 + random.below(3) }, () => randomType(random, 3));
      const batches = Array.from({ length: 1 + random.below(3) }, () => {
        const count = random.below(8);
        const padding = random.below(4);
        return batchOfColumns(
          types.map((type) =>
            buildSliced(type, randomModels(type, count, random), random, randomModels(type, padding, random)),
          ),
        );
      });
      const once = decodeBatches(encodeBatches(batches));
      expect(once.flatMap(tuplesOf)).toEqual(batches.flatMap(tuplesOf));
      expect(decodeBatches(encodeBatches(once)).flatMap(tuplesOf)).toEqual(batches.flatMap(tuplesOf));
      expect(tuplesOf(concatBatches([...once, ...once])).length).toBe(2 * once.flatMap(tuplesOf).length);
    }),
    { numRuns: 300 },
  );
});

describe("damaged bytes", () => {
  const random = new Random(11);
  const [batch] = randomBatches(() => randomType(random, 2), [20], random);
  const bytes = encodeBatches([batch!, batch!]);

  function isRefused(damaged: Uint8Array): boolean {
    try {
      decodeBatches(damaged);
    } catch (error) {
      return isKhonsuError(error, "KHONSU_STORAGE_CORRUPT");
    }
    return false;
  }

  test("cut anywhere, nothing of them is returned", () => {
    for (let length = 0; length < bytes.length; length++)
      expect(isRefused(bytes.subarray(0, length))).toBe(true);
  });

  test("with any single bit changed, nothing of them is returned", () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7));
      if (!isRefused(damaged)) expect.fail(`bit ${bit} changed and was not noticed`);
    }
  });

  test("with parts overwritten, moved, repeated or missing, nothing of them is returned", () => {
    fc.assert(
      fc.property(
        fc.nat(bytes.length),
        fc.nat(bytes.length),
        fc.uint8Array({ maxLength: 64 }),
        (a, b, noise) => {
          const damaged = Uint8Array.from([...bytes.subarray(0, a), ...noise, ...bytes.subarray(b)]);
          const isSame = damaged.length === bytes.length && damaged.every((byte, i) => byte === bytes[i]);
          return isSame || isRefused(damaged);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("garbage is refused", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), isRefused));
  });
});

test("the bytes are an Arrow IPC stream that apache-arrow reads by itself", () => {
  const random = new Random(5);
  const batches = randomBatches(TYPE_CASES[4]!.make, [3, 4], random);
  const table = tableFromIPC(encodeBatches(batches));
  expect(table.batches.flatMap(tuplesOf)).toEqual(batches.flatMap(tuplesOf));
});

test("bytes that begin anywhere in a buffer decode", () => {
  const random = new Random(6);
  const batches = randomBatches(TYPE_CASES[6]!.make, [9], random);
  const bytes = encodeBatches(batches);
  for (let offset = 0; offset < 9; offset++) {
    const moved = new Uint8Array(bytes.length + offset);
    moved.set(bytes, offset);
    expect(decodeBatches(moved.subarray(offset)).flatMap(tuplesOf)).toEqual(batches.flatMap(tuplesOf));
  }
});

test("a batch that apache-arrow writes rightly is encoded as it is", () => {
  const random = new Random(7);
  const type = TYPE_CASES.find(({ name }) => name.startsWith("Utf8 "))!.make();
  const batch = batchOfColumns([buildSliced(type, randomModels(type, 5, random), random, [])]);
  expect(batchForIpc(batch)).toBe(batch);
});

test.each(TYPE_CASES)(
  "$name, sliced, is written rightly by apache-arrow's own writer once prepared",
  ({ make }) => {
    const random = new Random(8);
    const type = make();
    const batch = batchOfColumns([
      buildSliced(type, randomModels(type, 9, random), random, randomModels(type, 3, random)),
    ]);
    const bytes = RecordBatchStreamWriter.writeAll([batchForIpc(batch)]).toUint8Array(true);
    expect(tableFromIPC(bytes).batches.flatMap(tuplesOf)).toEqual(tuplesOf(batch));
  },
);
