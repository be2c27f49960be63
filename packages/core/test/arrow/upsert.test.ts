/** Upsert against an oracle that looks every row up by a linear scan. */
import {
  Binary,
  type DataType,
  Decimal,
  Dictionary,
  Float16,
  Float64,
  Int64,
  makeData,
  type RecordBatch,
  TimestampSecond,
  Utf8,
  Utf8View,
} from "apache-arrow";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isKhonsuError } from "../../src/errors.ts";
import { ChunkedValue } from "../../src/table/chunked-value.ts";
import { isKeyType } from "../../src/table/key-value.ts";
import {
  appendRows,
  chunksOf,
  rowCount,
  type StoredValue,
  toBatch,
  toTable,
} from "../../src/table/stored-value.ts";
import { upsertRows } from "../../src/table/upsert.ts";
import { batchOfColumns, columnsOf, tuplesOf } from "./batches.ts";
import { buildSliced } from "./build-data.ts";
import { randomModels } from "./models.ts";
import { Random } from "./random.ts";
import { randomType, TYPE_CASES } from "./types.ts";

type Tuple = unknown[];

/** NaN equals NaN and 0 equals -0, as everywhere else in keys. */
function sameKey(a: unknown, b: unknown): boolean {
  if (a === null || b === null) return false;
  if (typeof a === "number" && typeof b === "number") return a === b || (Number.isNaN(a) && Number.isNaN(b));
  return JSON.stringify(a) === JSON.stringify(b);
}

function hasDuplicate(rows: readonly Tuple[]): boolean {
  return rows.some((row, i) => rows.slice(0, i).some((earlier) => sameKey(earlier[0], row[0])));
}

function upsertSlowly(base: readonly Tuple[], incoming: readonly Tuple[]): Tuple[] {
  const result = [...base];
  for (const row of incoming) {
    const at = base.findIndex((candidate) => sameKey(candidate[0], row[0]));
    if (at >= 0) result[at] = row;
    else result.push(row);
  }
  return result;
}

/** Rows with a key and a value column, with every key once. */
function keyedBatch(types: readonly DataType[], count: number, random: Random): RecordBatch {
  const models = types.map((type) => randomModels(type, count, random));
  const batch = batchOfColumns(
    types.map((type, i) => buildSliced(type, models[i]!, random, randomModels(type, 3, random))),
  );
  const tuples = tuplesOf(batch);
  const keep = tuples.flatMap((row, i) =>
    tuples.slice(0, i).some((earlier) => sameKey(earlier[0], row[0])) ? [] : [i],
  );
  if (keep.length === tuples.length) return batch;
  return batchOfColumns(
    types.map((type, i) =>
      buildSliced(
        type,
        keep.map((row) => models[i]![row]!),
        random,
        randomModels(type, 2, random),
      ),
    ),
  );
}

const KEY_CASES = TYPE_CASES.filter(({ make }) => isKeyType(make()));
const OTHER_CASES = TYPE_CASES.filter(({ make }) => !isKeyType(make()));

describe.each(KEY_CASES)("upsert by a key column of $name", ({ make }) => {
  test("updates rows in place and adds the others at the end", () => {
    for (let seed = 0; seed < 15; seed++) {
      const random = new Random(seed);
      const types = [make(), randomType(random, 1)];
      const base = keyedBatch(types, random.below(25), random);
      const incoming = keyedBatch(types, random.below(12), random);
      const expected = upsertSlowly(tuplesOf(base), tuplesOf(incoming));
      const result = upsertRows(base, incoming, "c0", "k");
      const isAppended = expected.length === base.numRows + incoming.numRows;
      expect(result.kind, `seed ${seed}`).toBe(isAppended ? "appended" : "merged");
      if (result.kind === "merged") expect(tuplesOf(result.batch), `seed ${seed}`).toEqual(expected);
      expect(tuplesOf(toBatch(appendRows(base, incoming, "c0", "k"))), `seed ${seed}`).toEqual(expected);
    }
  });
});

test.each(OTHER_CASES)("$name has no equality and cannot be a key", ({ make }) => {
  const random = new Random(1);
  const rows = batchOfColumns([buildSliced(make(), randomModels(make(), 0, random), random, [])]);
  expect(() => upsertRows(rows, rows, "c0", "k")).toThrow(
    expect.objectContaining({ code: "KHONSU_UNSUPPORTED_TYPE" }),
  );
});

test("any tree of appends and upserts leaves every version as the oracle has it", { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.noBias(fc.integer()), (seed) => {
      const random = new Random(seed);
      const keyType = random.pick(KEY_CASES).make();
      const types = [keyType, randomType(random, 2)];
      const first = keyedBatch(types, 1 + random.below(10), random);
      const versions: { value: StoredValue; rows: Tuple[] }[] = [{ value: first, rows: tuplesOf(first) }];
      for (let step = 0; step < 12; step++) {
        const from = random.pick(versions);
        const rows = keyedBatch(types, random.below(5), random);
        const tuples = tuplesOf(rows);
        if (random.chance(5)) expect(tuplesOf(toBatch(random.pick(versions).value))).toBeDefined();
        if (random.chance(4)) {
          versions.push({
            value: appendRows(from.value, rows, undefined, "k"),
            rows: [...from.rows, ...tuples],
          });
          continue;
        }
        if (hasDuplicate(from.rows)) {
          const code = "KHONSU_KEY_COLUMN_DUPLICATE";
          expect(() => appendRows(from.value, rows, "c0", "k")).toThrow(expect.objectContaining({ code }));
          continue;
        }
        versions.push({
          value: appendRows(from.value, rows, "c0", "k"),
          rows: upsertSlowly(from.rows, tuples),
        });
      }
      for (const { value, rows } of versions) {
        expect(rowCount(value)).toBe(rows.length);
        expect(chunksOf(value).flatMap(tuplesOf)).toEqual(rows);
        expect(toTable(value).numRows).toBe(rows.length);
        expect(tuplesOf(toBatch(value))).toEqual(rows);
        expect(toBatch(value)).toBe(toBatch(value));
      }
    }),
    { numRuns: 200 },
  );
});

test("thousands of small appends stand in few chunks and keep their order", { timeout: 60_000 }, () => {
  const random = new Random(7);
  const { type } = columnType();
  const row = (id: number) => batchOfColumns([buildSliced(type, [int32(id)], random, [])]);
  let value: StoredValue = row(0);
  let keyed: StoredValue = row(0);
  for (let id = 1; id < 10_000; id++) {
    value = appendRows(value, row(id), undefined, "k");
    keyed = appendRows(keyed, row(id), "c0", "k");
  }
  const expected = Array.from({ length: 10_000 }, (_, id) => id);
  for (const result of [value, keyed]) {
    expect(chunksOf(result).length).toBeLessThan(200);
    expect(columnsOf(toBatch(result))).toEqual([expected]);
  }
});

test("an append leaves a chunk alone that an earlier version combined in between", () => {
  const random = new Random(8);
  const { type } = columnType();
  const rows = (count: number) =>
    batchOfColumns([
      buildSliced(
        type,
        Array.from({ length: count }, () => int32(1)),
        random,
        [],
      ),
    ]);
  let value = ChunkedValue.of(rows(500));
  for (let i = 0; i < 30; i++) value = value.append(rows(1), "k");
  let longer = value.append(rows(1), "k");
  const combined = value.toBatch();
  for (let i = 0; i < 200; i++) longer = longer.append(rows(1), "k");
  expect(longer.chunks()[0]).toBe(combined);
  expect(longer.toBatch().numRows).toBe(731);
});

test("an append of no rows is the value itself", () => {
  const random = new Random(8);
  const none = batchOfColumns([buildSliced(columnType().type, [], random, [])]);
  const value = ChunkedValue.of(batchOfColumns([buildSliced(columnType().type, [int32(1)], random, [])]));
  expect(value.append(none, "k")).toBe(value);
  expect(value.upsert(none, "c0", "k")).toBe(value);
});

test("a key index that abandoned branches filled is made anew", () => {
  const random = new Random(9);
  const { type } = columnType();
  const row = (id: number) => batchOfColumns([buildSliced(type, [int32(id)], random, [])]);
  const base = appendRows(row(1), row(2), "c0", "k");
  for (let id = 10; id < 3000; id++) appendRows(appendRows(base, row(id), "c0", "k"), row(-id), "c0", "k");
  expect(columnsOf(toBatch(appendRows(base, row(2), "c0", "k")))).toEqual([[1, 2]]);
  expect(columnsOf(toBatch(appendRows(base, row(10), "c0", "k")))).toEqual([[1, 2, 10]]);
});

test.each(TYPE_CASES)(
  "rows of $name whose types are other objects become chunks of one table",
  ({ make }) => {
    const random = new Random(10);
    const batches = Array.from({ length: 3 }, () => {
      const type = make();
      return batchOfColumns([
        buildSliced(type, randomModels(type, 5, random), random, randomModels(type, 2, random)),
      ]);
    });
    const value = batches.slice(1).reduce((sum, rows) => sum.append(rows, "k"), ChunkedValue.of(batches[0]!));
    expect(value.toTable().batches.flatMap(tuplesOf)).toEqual(batches.flatMap(tuplesOf));
    expect(value.chunks()[0]).toBe(batches[0]);
  },
);

describe("equality of float keys", () => {
  const keys = (...values: number[]) =>
    batchOfColumns([makeData({ type: new Float64(), data: Float64Array.from(values) })]);

  test("NaN equals NaN, and 0 equals -0", () => {
    const result = toBatch(appendRows(keys(Number.NaN, 0, 1), keys(-0, Number.NaN), "c0", "k"));
    expect(columnsOf(result)).toEqual([[Number.NaN, -0, 1]]);
    expect(() => appendRows(undefined, keys(0, -0), "c0", "k")).toThrow(
      expect.objectContaining({ code: "KHONSU_KEY_COLUMN_DUPLICATE" }),
    );
  });

  test("of 16 bits as well", () => {
    const half = (...bits: number[]) =>
      batchOfColumns([makeData({ type: new Float16(), data: Uint16Array.from(bits) })]);
    const result = toBatch(appendRows(half(0x7e00, 0x0000), half(0x8000, 0xfe01), "c0", "k"));
    expect([...result.data.children[0]!.values]).toEqual([0xfe01, 0x8000]);
  });
});

function columnType(): { type: DataType } {
  return { type: TYPE_CASES.find(({ name }) => name.startsWith("Int32"))!.make() };
}

function int32(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}

describe("errors of a key column", () => {
  const { type } = columnType();
  const random = new Random(3);
  const rows = (...ids: (number | null)[]) =>
    batchOfColumns([
      buildSliced(
        type,
        ids.map((id) => (id === null ? null : int32(id))),
        random,
        [],
      ),
    ]);

  function codeOf(run: () => unknown): string {
    try {
      run();
    } catch (error) {
      return isKhonsuError(error) ? `${error.code}: ${error.message}` : String(error);
    }
    return "none";
  }

  test("a key that stands twice in the rows or in the value is named", () => {
    expect(codeOf(() => upsertRows(rows(1), rows(41, 42, 41), "c0", "k"))).toMatch(
      /^KHONSU_KEY_COLUMN_DUPLICATE.* 41 /,
    );
    expect(codeOf(() => upsertRows(rows(1, 43, 43), rows(2), "c0", "k"))).toMatch(
      /^KHONSU_KEY_COLUMN_DUPLICATE.* 43 /,
    );
    expect(codeOf(() => appendRows(undefined, rows(5, 5), "c0", "k"))).toMatch(
      /^KHONSU_KEY_COLUMN_DUPLICATE.* 5 /,
    );
  });

  test("a failed upsert leaves the value usable and as it was", () => {
    const value = ChunkedValue.of(rows(1, 2)).append(rows(3), "k");
    expect(codeOf(() => value.upsert(rows(7, 7), "c0", "k"))).toMatch(/^KHONSU_KEY_COLUMN_DUPLICATE/);
    expect(columnsOf(value.upsert(rows(7, 2), "c0", "k").toBatch())).toEqual([[1, 2, 3, 7]]);
    expect(columnsOf(value.toBatch())).toEqual([[1, 2, 3]]);
  });

  test("a missing key column is reported before anything else", () => {
    expect(codeOf(() => upsertRows(rows(1), rows(1), "id", "k"))).toMatch(/^KHONSU_KEY_COLUMN_MISSING/);
    expect(codeOf(() => appendRows(undefined, rows(1), "id", "k"))).toMatch(/^KHONSU_KEY_COLUMN_MISSING/);
  });

  test("null keys match nothing and are always added", () => {
    const result = appendRows(rows(1, null), rows(null, 1, null), "c0", "k");
    expect(columnsOf(toBatch(result))).toEqual([[1, null, null, null]]);
  });

  test("rows of another schema are refused", () => {
    const other = batchOfColumns([buildSliced(TYPE_CASES[1]!.make(), [], random, [])]);
    expect(codeOf(() => appendRows(rows(1), other, undefined, "k"))).toMatch(
      /^KHONSU_SCHEMA_MISMATCH.*Int\(32, true\).*Bool/,
    );
  });
});

describe("keys are named in errors as a person would write them", () => {
  const bytes = (...items: number[]) => Uint8Array.of(...items);
  const text = (value: string) => new TextEncoder().encode(value);
  test.each([
    ["Utf8", new Utf8(), text("Ærø"), '"Ærø"'],
    [
      "a dictionary with 64-bit indices",
      new Dictionary(new Utf8View(), new Int64() as never, 1),
      text("Ærø"),
      '"Ærø"',
    ],
    ["Decimal", new Decimal(2, 9, 64), new Uint8Array(BigInt64Array.of(-1234n).buffer), "-1234e-2"],
    ["Binary", new Binary(), bytes(0, 255), "0x00ff"],
    ["Int64", new Int64(), new Uint8Array(BigInt64Array.of(2n ** 60n).buffer), "1152921504606846976"],
    [
      "a timestamp that apache-arrow cannot read",
      new TimestampSecond(),
      new Uint8Array(BigInt64Array.of(2n ** 60n).buffer),
      "1152921504606846976",
    ],
  ])("%s", (_name, type, key, shown) => {
    const rows = batchOfColumns([buildSliced(type, [key, key], new Random(1), [])]);
    expect(() => appendRows(undefined, rows, "c0", "k")).toThrow(`: ${shown} stands twice`);
  });
});
