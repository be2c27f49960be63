import { encodeBatches, toBatch } from "@khonsu/core/values";
import { type RecordBatch, tableFromArrays } from "apache-arrow";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RowError, ShardValue } from "./shard-value.ts";

/** Rows with a key, a number and a dictionary; several batches if `cut` says where. */
function rows(ids: readonly number[], note: string, cut = 0): Uint8Array {
  const table = tableFromArrays({ id: Int32Array.from(ids), note: ids.map((id) => `${note}${id % 3}`) });
  const [batch] = table.batches;
  const parts = cut > 0 && cut < ids.length ? [batch!.slice(0, cut), batch!.slice(cut)] : [batch!];
  return encodeBatches(parts as RecordBatch[]);
}

function contents(value: ShardValue | undefined): unknown[] {
  return value === undefined
    ? []
    : toBatch(value.decode())
        .toArray()
        .map((row) => ({ ...row?.toJSON() }));
}

const BY_ID = { keyColumn: "id", isRequired: true };

/** What is encoded must not depend on the chunks, or the ids of dictionaries, that a replica has in memory. */
test("replicas have the same bytes, whoever has read the value when or started again from its bytes", () => {
  const step = fc.record({
    ids: fc.uniqueArray(fc.nat({ max: 12 }), { minLength: 1, maxLength: 5 }),
    note: fc.constantFrom("a", "b"),
    cut: fc.nat({ max: 4 }),
    isKeyed: fc.boolean(),
    isRead: fc.boolean(),
    isRestored: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      let first: ShardValue | undefined;
      let second: ShardValue | undefined;
      for (const { ids, note, cut, isKeyed, isRead, isRestored } of steps) {
        const bytes = rows(ids, note, cut);
        const by = isKeyed ? BY_ID : undefined;
        const outcomes = [first, second].map((base) => mergedOrCode(base, bytes, by));
        expect(outcomes[1]).toEqual(outcomes[0]);
        if (typeof outcomes[0] === "string") continue;
        first = ShardValue.merge(first, bytes, by, "k");
        second = ShardValue.merge(second, bytes, by, "k");
        if (isRead) toBatch(first.decode());
        if (isRestored) second = ShardValue.ofChunks(second.chunks().map((chunk) => chunk.slice()));
        expect(second.hash).toBe(first.hash);
        expect(second.byteLength).toBe(first.byteLength);
      }
      expect(contents(second)).toEqual(contents(first));
    }),
    { numRuns: 100 },
  );
});

function mergedOrCode(
  base: ShardValue | undefined,
  bytes: Uint8Array,
  by: typeof BY_ID | undefined,
): number | string {
  try {
    return ShardValue.merge(base, bytes, by, "k").hash;
  } catch (error) {
    return (error as RowError).cause.code;
  }
}

test("an append shares what was there and takes the new rows alone", () => {
  const one = ShardValue.of(rows([1], "a"));
  const added = rows([2], "a");
  const two = ShardValue.merge(one, added, BY_ID, "k");
  expect(two.chunks()[0]).toBe(one.chunks()[0]);
  expect(two.chunksBehind(one)).toEqual([added]);
  expect(one.chunksBehind(two)).toBeUndefined();
  expect(contents(two).map((row) => (row as { id: number }).id)).toEqual([1, 2]);
  const updated = ShardValue.merge(two, rows([1], "b"), BY_ID, "k");
  expect(updated.chunksBehind(two)).toBeUndefined();
  expect(contents(updated)).toEqual([
    { id: 1, note: "b1" },
    { id: 2, note: "a2" },
  ]);
});

test("a key column that is only the default may be missing, a required one may not", () => {
  const other = encodeBatches(tableFromArrays({ n: Int32Array.of(1) }).batches);
  const base = ShardValue.of(other);
  expect(ShardValue.merge(base, other, { keyColumn: "id", isRequired: false }, "k").chunks()).toHaveLength(2);
  expect(() => ShardValue.merge(base, other, BY_ID, "k")).toThrow(RowError);
});

test("bytes that were never rows are an error about rows; bytes that changed stop the replica", () => {
  const nonsense = ShardValue.of(Uint8Array.of(1, 2, 3));
  expect(() => ShardValue.merge(nonsense, rows([1], "a"), undefined, "k")).toThrow(RowError);
  expect(() => ShardValue.merge(undefined, Uint8Array.of(1), undefined, "k")).toThrow(RowError);
  const bytes = rows([1], "a");
  const damaged = ShardValue.of(bytes);
  bytes[20]! ^= 1;
  expect(() => ShardValue.merge(damaged, rows([2], "a"), undefined, "k")).toThrow(
    expect.objectContaining({ code: "KHONSU_INVARIANT_VIOLATED" }),
  );
});
