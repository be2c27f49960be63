/** Rows as plain objects, against apache-arrow's vectors, which read what was made and make what is read. */
import {
  Binary,
  type DataType,
  Dictionary,
  Field,
  FixedSizeBinary,
  Float64,
  Int8,
  Int32,
  Int64,
  List,
  RecordBatch,
  Schema,
  TimestampSecond,
  Uint32,
  Utf8,
  Vector,
} from "apache-arrow";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isKhonsuError, Khonsu, RowCodec } from "../../src/index.ts";
import { decodeBatches, encodeBatches } from "../../src/table/index.ts";
import { layoutOf } from "../../src/table/layout.ts";
import { batchOfColumns, tuplesOf } from "./batches.ts";
import { buildData, buildSliced } from "./build-data.ts";
import { randomModels } from "./models.ts";
import { Random } from "./random.ts";
import { TYPE_CASES } from "./types.ts";

const flatCases = TYPE_CASES.filter(({ make }) => ["bits", "fixed", "bytes"].includes(layoutOf(make())));
const seeds = fc.integer({ min: 0, max: 2 ** 31 });

function code(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return isKhonsuError(error) ? error.code : String(error);
  }
  return undefined;
}

/** For each row its values as apache-arrow's vectors give them. */
function byVectors({ schema, data, numRows }: RecordBatch): Record<string, unknown>[] {
  const columns = data.children.map((column) => new Vector([column]));
  return Array.from({ length: numRows }, (_, row) =>
    Object.fromEntries(schema.fields.map(({ name }, i) => [name, columns[i]!.get(row)])),
  );
}

/** Bytes that random models hold need not be text, nor moments that apache-arrow can set. */
function isSettable(type: DataType, batch: RecordBatch): boolean {
  return (
    code(() => new RowCodec(batch.schema).toBatch(byVectors(batch))) === undefined ||
    !/Utf8|Date|Timestamp|Interval/.test(String(type))
  );
}

test.each(flatCases)("$name is read as a vector reads it, whole and cut out of a longer one", ({ make }) => {
  fc.assert(
    fc.property(seeds, fc.nat(20), (seed, rows) => {
      const random = new Random(seed);
      const type = make();
      const models = randomModels(type, rows, random);
      const column = random.chance()
        ? buildData(type, models, random)
        : buildSliced(type, models, random, []);
      const batch = batchOfColumns([column, column]);
      expect(new RowCodec(batch.schema).rows(batch)).toEqual(byVectors(batch));
    }),
    { numRuns: 50 },
  );
});

test.each(flatCases)("$name is made of what a vector gives, and holds the same", ({ make }) => {
  let made = 0;
  fc.assert(
    fc.property(seeds, fc.nat(20), (seed, rows) => {
      const random = new Random(seed);
      const type = make();
      const batch = batchOfColumns([buildData(type, randomModels(type, rows, random), random)]);
      if (!isSettable(type, batch)) return;
      made++;
      const again = new RowCodec(batch.schema).toBatch(byVectors(batch));
      expect(byVectors(again)).toEqual(byVectors(batch));
      expect(again.data.children[0]!.nullCount).toBe(batch.data.children[0]!.nullCount);
      expect(tuplesOf(decodeBatches(encodeBatches([again]))[0]!)).toEqual(tuplesOf(again));
    }),
    { numRuns: 50 },
  );
  expect(made).toBeGreaterThan(0);
});

test("moments and text that were given are those that are read, by vectors too", () => {
  const at = Date.UTC(2026, 10, 22);
  for (const { name, make } of flatCases) {
    const type = make();
    const value = /Utf8/.test(String(type)) ? "næ€😀" : /^Date|^Timestamp/.test(name) ? at : undefined;
    if (value === undefined) continue;
    const codec = new RowCodec(new Schema([new Field("v", type, true)]));
    const batch = codec.toBatch([{ v: value }, { v: null }, {}, { v: value }]);
    expect(byVectors(batch)).toEqual([{ v: value }, { v: null }, { v: null }, { v: value }]);
    expect(codec.rows(batch)).toEqual(byVectors(batch));
  }
});

test("a batch is one of apache-arrow's, which a store takes as it is", async () => {
  const codec = new RowCodec<{ name: string; cents: number }>(
    new Schema([new Field("name", new Utf8(), false), new Field("cents", new Float64(), false)]),
  );
  const batch = codec.toBatch([{ name: "Ada", cents: 1.5 }]);
  expect(batch).toBeInstanceOf(RecordBatch);
  expect(Object.keys(batch)).toEqual(Object.keys(new RecordBatch(batch.schema, batch.data)));
  expect(batch.metadata.size).toBe(0);
  expect(batch.slice(0, 1).getChild("name")!.get(0)).toBe("Ada");
  await using db = await Khonsu.open();
  await db.transact((tx) => tx.write("a", batch));
  using tx = db.begin();
  expect(tx.read("a")).toBe(batch);
  expect(codec.row(tx.read("a")!)).toEqual({ name: "Ada", cents: 1.5 });
});

test("what was given may change afterwards", () => {
  for (const type of [new Binary(), new FixedSizeBinary(2)]) {
    const codec = new RowCodec<{ v: Uint8Array }>(new Schema([new Field("v", type, false)]));
    const given = Uint8Array.of(1, 2);
    const batch = codec.toBatch([{ v: given }]);
    given.fill(9);
    expect([...codec.row(batch).v]).toEqual([1, 2]);
  }
});

test("no rows are a batch without rows", () => {
  const codec = new RowCodec(new Schema([new Field("a", new Utf8(), false)]));
  expect(codec.rows(codec.toBatch([]))).toEqual([]);
});

test("a value that is not of its column's type is refused, and null where there is none", () => {
  const refused = (type: DataType, value: unknown, nullable = true) =>
    code(() => new RowCodec(new Schema([new Field("v", type, nullable)])).toBatch([{ v: value }]));
  for (const value of ["1", 1.5, 128, -129, 1n, Number.NaN, true])
    expect(refused(new Int8(), value)).toBe("KHONSU_INVALID_BATCH");
  for (const value of [-1, 2 ** 32]) expect(refused(new Uint32(), value)).toBe("KHONSU_INVALID_BATCH");
  for (const value of [1, 2n ** 63n]) expect(refused(new Int64(), value)).toBe("KHONSU_INVALID_BATCH");
  for (const value of [1, "\ud800", new Uint8Array(1)])
    expect(refused(new Utf8(), value)).toBe("KHONSU_INVALID_BATCH");
  for (const value of ["1", 1n]) expect(refused(new Float64(), value)).toBe("KHONSU_INVALID_BATCH");
  for (const value of [1500, "1", 1n])
    expect(refused(new TimestampSecond(), value)).toBe("KHONSU_INVALID_BATCH");
  for (const value of [null, undefined])
    expect(refused(new Utf8(), value, false)).toBe("KHONSU_INVALID_BATCH");
});

test("a schema that is not flat, without columns, or with two of one name, is refused", () => {
  const of = (...fields: readonly Field[]) => code(() => new RowCodec(new Schema([...fields])));
  expect(of()).toBe("KHONSU_INVALID_BATCH");
  expect(of(new Field("a", new Utf8()), new Field("a", new Int8()))).toBe("KHONSU_INVALID_BATCH");
  expect(of(new Field("a", new List(new Field("item", new Int8()))))).toBe("KHONSU_UNSUPPORTED_TYPE");
  expect(of(new Field("a", new Dictionary(new Utf8(), new Int32())))).toBe("KHONSU_UNSUPPORTED_TYPE");
});

test("a batch with other columns is not read, nor a row that is not there", () => {
  const codec = new RowCodec(new Schema([new Field("a", new Utf8(), false)]));
  const other = new RowCodec(new Schema([new Field("a", new Int32(), false)])).toBatch([{ a: 1 }]);
  expect(code(() => codec.row(other))).toBe("KHONSU_SCHEMA_MISMATCH");
  const batch = codec.toBatch([{ a: "x" }]);
  for (const row of [-1, 1, Number.NaN]) expect(() => codec.row(batch, row)).toThrow(RangeError);
});
