/** Rows that a client has made up: a shard merges them, or says no; it never fails, since every replica would. */
import { encodeBatches, xxHash32 } from "@khonsu/core/values";
import { type Table, tableFromArrays } from "apache-arrow";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RowError, ShardValue } from "../src/shard/shard-value.ts";

const TRAILER_BYTES = 16;

/** Bytes that were changed, and sealed as if they were right. */
function sealed(bytes: Uint8Array, changes: readonly (readonly [number, number])[]): Uint8Array {
  const copy = bytes.slice();
  const stream = copy.subarray(0, copy.length - TRAILER_BYTES);
  for (const [place, value] of changes) stream[place % stream.length] = value;
  new DataView(copy.buffer).setUint32(copy.length - 4, xxHash32(stream), true);
  return copy;
}

const tables: readonly Table[] = [
  tableFromArrays({ id: Int32Array.from([1, 2, 3]), value: Float64Array.from([1, 2, 3]) }),
  tableFromArrays({ id: ["a", "b", "c"], value: Int32Array.from([1, 2, 3]) }),
];
const originals = tables.map((table) => encodeBatches(table.batches));

const change = fc.tuple(fc.nat(), fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)));
const changes = fc.array(change, { maxLength: 3 });

test("merging what was made up gives a value that can be read, or an error about the rows", {
  timeout: 120_000,
}, () => {
  const met = { merged: 0, refused: 0 };
  const property = fc.property(
    fc.constantFrom(...originals),
    changes,
    changes,
    fc.boolean(),
    (original, ofBase, ofRows, isKeyed) => {
      const base = ShardValue.of(sealed(original, ofBase));
      const by = isKeyed ? { keyColumn: "id", isRequired: true } : undefined;
      try {
        const merged = ShardValue.merge(base, sealed(original, ofRows), by, "k");
        ShardValue.ofChunks(merged.chunks()).decode();
        met.merged++;
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
        met.refused++;
      }
    },
  );
  fc.assert(property, { numRuns: 4000 });
  expect(met.merged).toBeGreaterThan(300);
  expect(met.refused).toBeGreaterThan(300);
});
