/** What callers hand in: good, broken, from another copy of apache-arrow, and in shared memory. */
import { createRequire } from "node:module";
import {
  Bool,
  Data,
  DataType,
  Dictionary,
  Field,
  FixedSizeList,
  Int8,
  Int32,
  List,
  makeData,
  RecordBatch,
  Schema,
  SparseUnion,
  Struct,
  Table,
  tableFromArrays,
  Utf8,
  Utf8View,
  vectorFromArray,
} from "apache-arrow";
import { describe, expect, test } from "vitest";
import { toRecordBatch } from "../../src/table/batch-input.ts";
import { ChunkedValue } from "../../src/table/chunked-value.ts";
import { concatBatches } from "../../src/table/concat.ts";
import { decodeBatches, encodeBatches } from "../../src/table/ipc.ts";
import { columnsOf, tuplesOf } from "./batches.ts";
import { buildData } from "./build-data.ts";
import { randomModels, rowsOf } from "./models.ts";
import { Random } from "./random.ts";
import { TYPE_CASES } from "./types.ts";

const int32 = (...values: number[]) => makeData({ type: new Int32(), data: Int32Array.from(values) });
const invalid = expect.objectContaining({ code: "KHONSU_INVALID_BATCH", retryable: false });

describe("batches", () => {
  test("are handed on as they are, also without rows and with two million", () => {
    for (const length of [0, 1, 2_000_000]) {
      const batch = new RecordBatch({ a: makeData({ type: new Int32(), data: new Int32Array(length) }) });
      expect(toRecordBatch(batch)).toBe(batch);
      expect(toRecordBatch(batch)).toBe(batch);
    }
    const empty = new RecordBatch(
      new Schema([new Field("l", new List(new Field("item", new Int8(), true)), true)]),
      undefined,
    );
    expect(toRecordBatch(empty)).toBe(empty);
  });

  test.each(TYPE_CASES)("of $name without any buffer, as apache-arrow makes them, are fine", ({ make }) => {
    const empty = toRecordBatch(new RecordBatch(new Schema([new Field("c0", make(), true)]), undefined));
    expect(concatBatches([empty, empty]).numRows).toBe(0);
    expect(decodeBatches(encodeBatches([empty]))[0]!.numRows).toBe(0);
    const models = randomModels(empty.schema.fields[0]!.type, 3, new Random(1));
    const rows = toRecordBatch(
      new RecordBatch({ c0: buildData(empty.schema.fields[0]!.type, models, new Random(1)) }),
    );
    expect(tuplesOf(ChunkedValue.of(empty).append(rows, "k").toBatch())).toEqual(tuplesOf(rows));
    expect(tuplesOf(ChunkedValue.of(rows).append(empty, "k").toBatch())).toEqual(tuplesOf(rows));
  });
});

describe("tables", () => {
  test("of one chunk are taken without a copy, of several combined, of none empty", () => {
    const batch = new RecordBatch({ a: int32(1, 2) });
    expect(toRecordBatch(new Table([batch]))).toBe(batch);
    expect(columnsOf(toRecordBatch(new Table([batch, new RecordBatch({ a: int32(3) })])))).toEqual([
      [1, 2, 3],
    ]);
    expect(toRecordBatch(new Table(batch.schema, [])).numRows).toBe(0);
  });

  test("whose columns have different lengths are refused", () => {
    expect(() => toRecordBatch(tableFromArrays({ a: [1, 2, 3], b: ["x", "y"] }))).toThrow(invalid);
  });
});

describe("what is refused", () => {
  test.each([
    ["undefined", undefined],
    ["null", null],
    ["a string", "rows"],
    ["an array of rows", [{ a: 1 }]],
    ["a plain object", { a: int32(1) }],
    ["an object without a prototype", Object.create(null)],
    ["a vector", vectorFromArray([1, 2])],
  ])("%s", (_name, input) => {
    expect(() => toRecordBatch(input as never)).toThrow(invalid);
  });

  const columns = (fields: Field[], children: Data[], length: number) => {
    const batch = new RecordBatch({ a: int32(1) });
    const schema = new Schema(fields);
    const data = new Data(new Struct(fields), 0, length, 0, undefined, children);
    return Object.assign(Object.create(RecordBatch.prototype), batch, { schema, data }) as RecordBatch;
  };
  const field = (name: string) => new Field(name, new Int32(), true);
  const one = (data: Data) => columns([new Field("a", data.type, true)], [data], 4);

  test.each([
    ["no columns", new RecordBatch(new Schema([]), undefined)],
    ["a table without columns", new Table()],
    ["two columns of one name", columns([field("a"), field("a")], [int32(1), int32(2)], 1)],
    ["fewer columns than fields", columns([field("a"), field("b")], [int32(1)], 1)],
    ["columns of different lengths", columns([field("a"), field("b")], [int32(1, 2), int32(1)], 2)],
    ["a column of another type than its field", columns([field("a")], [new Data(new Bool(), 0, 1)], 1)],
    ["columns that apache-arrow filled up", new RecordBatch({ a: int32(1, 2), b: int32(1) })],
    ["too few values", one(new Data(new Int32(), 0, 4, 0, { 1: Int32Array.of(1) } as never))],
    ["too few bits", one(new Data(new Bool(), 7, 4, 0, { 1: Uint8Array.of(1) } as never))],
    [
      "too few validity bits",
      one(new Data(new Int32(), 5, 4, 1, { 1: new Int32Array(4), 2: Uint8Array.of(1) } as never)),
    ],
    [
      "too few offsets",
      one(new Data(new Utf8(), 0, 4, 0, { 0: Int32Array.of(0, 1), 1: new Uint8Array(9) } as never)),
    ],
    [
      "offsets beyond the bytes",
      one(new Data(new Utf8(), 0, 4, 0, { 0: Int32Array.of(0, 1, 2, 3, 9), 1: new Uint8Array(8) } as never)),
    ],
    [
      "offsets that go back",
      one(new Data(new Utf8(), 0, 4, 0, { 0: Int32Array.of(5, 5, 5, 5, 1), 1: new Uint8Array(8) } as never)),
    ],
    ["too few views", one(new Data(new Utf8View(), 0, 4, 0, { 1: new Uint8Array(48) } as never))],
    [
      "too few items in a list",
      one(
        new Data(new List(field("item")), 0, 4, 0, { 0: Int32Array.of(0, 1, 2, 3, 4) } as never, [int32(1)]),
      ),
    ],
    [
      "a list without a child",
      one(new Data(new List(field("item")), 0, 4, 0, { 0: new Int32Array(5) } as never)),
    ],
    [
      "too few items in a list of fixed size",
      one(new Data(new FixedSizeList(2, field("item")), 0, 4, 0, undefined, [int32(1)])),
    ],
    ["too few rows in a struct", one(new Data(new Struct([field("x")]), 0, 4, 0, undefined, [int32(1)]))],
    [
      "too few type ids",
      one(
        new Data(new SparseUnion([0], [field("x")]), 0, 4, 0, { 3: new Int8Array(1) } as never, [
          int32(1, 2, 3, 4),
        ]),
      ),
    ],
    [
      "a dictionary column without a dictionary",
      one(new Data(new Dictionary(new Utf8(), new Int8(), 1), 0, 4, 0, { 1: new Int8Array(4) } as never)),
    ],
  ])("%s", (_name, input) => {
    expect(() => toRecordBatch(input)).toThrow(invalid);
  });
});

describe("damage in the middle of a buffer, which the check does not look at, is found when rows are copied", () => {
  const twice = (data: Data) => {
    const batch = toRecordBatch(new RecordBatch({ a: data }));
    return () => concatBatches([batch, batch]);
  };
  const bytes = new Uint8Array(8);

  test("a dictionary index out of range", () => {
    const type = new Dictionary(new Utf8(), new Int8(), 1);
    const make = () =>
      makeData({ type, data: Int8Array.of(7), dictionary: vectorFromArray(["x"], new Utf8()) as never });
    const [a, b] = [make(), make()].map((data) => toRecordBatch(new RecordBatch({ a: data })));
    expect(() => concatBatches([a!, b!])).toThrow(invalid);
  });

  test("a view out of range", () => {
    const views = new Uint8Array(Int32Array.of(20, 0, 3, 0).buffer);
    expect(twice(new Data(new Utf8View(), 0, 1, 0, { 1: views } as never, [], undefined, [bytes]))).toThrow(
      invalid,
    );
  });
});

describe("another copy of apache-arrow", () => {
  const foreign = createRequire(import.meta.url)("apache-arrow") as typeof import("apache-arrow");

  test("is another copy indeed", () => {
    expect(foreign.RecordBatch).not.toBe(RecordBatch);
  });

  test.each(TYPE_CASES)("$name is taken over, over the same buffers", ({ make }) => {
    const random = new Random(2);
    const own = make();
    const models = randomModels(own, 9, random);
    const mine = toRecordBatch(new RecordBatch({ c0: buildData(own, models, new Random(3)) }));
    const [theirs] = foreign.tableFromIPC(encodeBatches([mine])).batches;
    const taken = toRecordBatch(theirs as never);
    expect(taken.schema.fields[0]!.type).toBeInstanceOf(DataType);
    expect(theirs!.schema.fields[0]!.type).not.toBeInstanceOf(DataType);
    expect(columnsOf(taken)).toEqual(columnsOf(mine));
    expect(taken.data.children[0]!.values?.buffer).toBe(theirs!.data.children[0]!.values?.buffer);
    expect(tuplesOf(ChunkedValue.of(mine).append(taken, "k").toBatch())).toEqual([
      ...tuplesOf(mine),
      ...tuplesOf(mine),
    ]);
    expect(decodeBatches(encodeBatches([taken])).flatMap(tuplesOf)).toEqual(tuplesOf(mine));
  });

  test("batches that are not whole are refused", () => {
    const batch = foreign.tableFromArrays({ a: Int32Array.of(1, 2) }).batches[0]!;
    expect(() =>
      toRecordBatch(Object.assign(batch, { data: { length: 2, children: [null] } }) as never),
    ).toThrow(invalid);
  });

  test("tables are taken over", () => {
    expect(columnsOf(toRecordBatch(foreign.tableFromArrays({ a: Int32Array.of(1, 2) }) as never))).toEqual([
      [1, 2],
    ]);
  });
});

test.each(TYPE_CASES)("$name in shared memory is read, copied and encoded", ({ make }) => {
  const random = new Random(4);
  const type = make();
  const data = share(buildData(type, randomModels(type, 11, random), random));
  const batch = toRecordBatch(new RecordBatch({ c0: data }));
  expect(rowsOf(concatBatches([batch, batch]).data.children[0]!)).toEqual([...rowsOf(data), ...rowsOf(data)]);
  expect(decodeBatches(encodeBatches([batch])).flatMap(tuplesOf)).toEqual(tuplesOf(batch));
});

/** The same data over buffers in shared memory. */
function share(data: Data): Data {
  const move = <T extends ArrayBufferView | undefined>(view: T): T => {
    if (view === undefined) return view;
    const bytes = new Uint8Array(new SharedArrayBuffer(view.byteLength));
    bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    const Buffer = view.constructor as new (buffer: SharedArrayBuffer) => T;
    return new Buffer(bytes.buffer as unknown as SharedArrayBuffer);
  };
  const buffers = {
    0: move(data.valueOffsets),
    1: move(data.values),
    2: move(data.nullBitmap),
    3: move(data.typeIds),
  };
  return new Data(
    data.type,
    data.offset,
    data.length,
    data.nullCount,
    buffers as never,
    data.children.map(share),
    data.dictionary,
    data.variadicBuffers.map(move),
  );
}
