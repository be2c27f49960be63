/** What dictionaries bring: one for each id, unions by value, indices that run out, and what the IPC writer misses. */
import {
  Data,
  Dictionary,
  Field,
  FixedSizeList,
  Float64,
  Int8,
  Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
  Utf8View,
  Vector,
  vectorFromArray,
} from "apache-arrow";
import { describe, expect, test } from "vitest";
import { toRecordBatch } from "../../src/table/batch-input.ts";
import { ChunkedValue } from "../../src/table/chunked-value.ts";
import { concatBatches } from "../../src/table/concat.ts";
import { decodeBatches, encodeBatches } from "../../src/table/ipc.ts";
import { batchOfColumns, columnsOf, tuplesOf } from "./batches.ts";
import { buildSliced } from "./build-data.ts";
import { Random } from "./random.ts";

function texts(values: readonly string[]): Data {
  return vectorFromArray([...values], new Utf8()).data[0]!;
}

function encoded(
  pieces: readonly Data[],
  indices: readonly number[],
  type: Dictionary = new Dictionary(new Utf8(), new Int8(), 1),
): Data {
  return makeData({ type, data: Int8Array.from(indices), dictionary: new Vector([...pieces]) as never });
}

function numbered(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `v${from + i}`);
}

function dictionarySize(batch: RecordBatch): number {
  return batch.data.children[0]!.dictionary!.length;
}

describe("concatenation", () => {
  test("keeps the very dictionary that all batches share, also as another vector over the same data", () => {
    const piece = texts(["a", "b"]);
    const first = batchOfColumns([encoded([piece], [0, 1])]);
    const second = batchOfColumns([encoded([piece], [1])]);
    const result = concatBatches([first, second]);
    expect(result.data.children[0]!.dictionary).toBe(first.data.children[0]!.dictionary);
    expect(columnsOf(result)).toEqual([["a", "b", "b"]]);
  });

  test("joins dictionaries by value and keeps the first one's indices, repeated values included", () => {
    const first = batchOfColumns([encoded([texts(["a", "b", "a"])], [2, 1, 0])]);
    const second = batchOfColumns([encoded([texts(["c", "a"]), texts(["b", "c"])], [0, 1, 2, 3])]);
    const result = concatBatches([first, second]);
    expect(columnsOf(result)).toEqual([["a", "b", "a", "c", "a", "b", "c"]]);
    expect(dictionarySize(result)).toBe(4);
    expect([...result.data.children[0]!.values]).toEqual([2, 1, 0, 3, 0, 1, 3]);
  });

  test("keeps the sign of zero, though as keys 0 and -0 are equal", () => {
    const type = new Dictionary(new Float64(), new Int8(), 1);
    const floats = (...values: number[]) => [vectorFromArray(values, new Float64()).data[0]!];
    const first = batchOfColumns([encoded(floats(0), [0], type)]);
    const second = batchOfColumns([encoded(floats(-0, 0, Number.NaN), [0, 1, 2], type)]);
    expect(columnsOf(concatBatches([first, second]))).toEqual([[0, -0, 0, Number.NaN]]);
    expect(dictionarySize(concatBatches([first, second]))).toBe(3);
  });

  test("gives columns of one dictionary id one dictionary, also where the added rows have two", () => {
    const type = new Dictionary(new Utf8(), new Int8(), 1);
    const shared = new Vector([texts(["a", "b"])]) as never;
    const column = (...indices: number[]) =>
      makeData({ type, data: Int8Array.from(indices), dictionary: shared });
    const base = batchOfColumns([column(0), column(1)]);
    const other = (id: number) => new Dictionary(new Utf8(), new Int8(), id);
    const rows = batchOfColumns([
      encoded([texts(["x"])], [0], other(5)),
      encoded([texts(["y"])], [0], other(6)),
    ]);
    const chunked = ChunkedValue.of(base).append(rows, "k");
    const expected = [
      ["a", "b"],
      ["x", "y"],
    ];
    expect(decodeBatches(encodeBatches(chunked.chunks())).flatMap(tuplesOf)).toEqual(expected);
    const combined = chunked.toBatch();
    expect(tuplesOf(combined)).toEqual(expected);
    expect(combined.data.children[0]!.dictionary).toBe(combined.data.children[1]!.dictionary);
    expect(decodeBatches(encodeBatches([combined])).flatMap(tuplesOf)).toEqual(expected);
  });
});

describe("indices that cannot tell all values apart", () => {
  const full = ChunkedValue.of(batchOfColumns([encoded([texts(numbered(0, 100))], [0, 99])]));

  test("are refused at the append, which leaves the value as it was", () => {
    const rows = batchOfColumns([encoded([texts(numbered(100, 29))], [28])]);
    expect(() => full.append(rows, "k")).toThrow(
      expect.objectContaining({ code: "KHONSU_UNSUPPORTED_TYPE" }),
    );
    expect(() => concatBatches([full.toBatch(), rows])).toThrow(/129 values/);
    expect(columnsOf(full.toBatch())).toEqual([["v0", "v99"]]);
  });

  test("are enough while values repeat or just fit", () => {
    let value = full;
    for (let i = 0; i < 300; i++)
      value = value.append(batchOfColumns([encoded([texts(numbered(60, 68))], [67])]), "k");
    expect(value.numRows).toBe(302);
    expect(dictionarySize(value.toBatch())).toBe(128);
    expect(columnsOf(value.toBatch())[0]!.at(-1)).toBe("v127");
  });
});

describe("IPC of dictionaries that apache-arrow's writer gets wrong", () => {
  test("a dictionary that begins with the piece of the one before and goes on differently", () => {
    const piece = texts(["a"]);
    const batches = ["b", "c", "d"].map((value) =>
      batchOfColumns([encoded([piece, texts([value])], [0, 1])]),
    );
    expect(decodeBatches(encodeBatches(batches)).flatMap(tuplesOf)).toEqual([
      ["a"],
      ["b"],
      ["a"],
      ["c"],
      ["a"],
      ["d"],
    ]);
  });

  test("a dictionary whose values are a slice of views", () => {
    const values = ["none", "a text that is too long for a view", "b"].map((text) =>
      new TextEncoder().encode(text),
    );
    const views = buildSliced(new Utf8View(), values.slice(1), new Random(1), values.slice(0, 1));
    const type = new Dictionary(new Utf8View(), new Int8(), 3);
    const batch = batchOfColumns([
      makeData({ type, data: Int8Array.of(1, 0), dictionary: new Vector([views]) as never }),
    ]);
    expect(decodeBatches(encodeBatches([batch])).flatMap(columnsOf)).toEqual([
      ["b", "a text that is too long for a view"],
    ]);
  });
});

describe("IPC of what other readers of Arrow would stumble over", () => {
  test("children that are longer than their parent are cut", () => {
    const field = new Field("a", new Int32(), true);
    const child = makeData({ type: new Int32(), data: Int32Array.of(1, 2, 3, 4) });
    const struct = makeData({ type: new Struct([field]), length: 2, children: [child] });
    const [decoded] = decodeBatches(encodeBatches([batchOfColumns([struct])]));
    expect(decoded!.data.children[0]!.children[0]!.length).toBe(2);
    const list = makeData({ type: new FixedSizeList(1, field), length: 3, child });
    const [listed] = decodeBatches(encodeBatches([batchOfColumns([list])]));
    expect(listed!.data.children[0]!.children[0]!.length).toBe(3);
  });

  test("nulls without a bitmap are written as nulls", () => {
    const bare = new Data(new Int32(), 0, 2, 2, { 1: Int32Array.of(1, 2) } as never);
    expect(decodeBatches(encodeBatches([batchOfColumns([bare])])).flatMap(columnsOf)).toEqual([[null, null]]);
  });

  test("batches whose schemas fit and are not the same objects all arrive", () => {
    const strict = new Schema([new Field("c0", new Int32(), false)]);
    const data = makeData({ type: new Int32(), data: Int32Array.of(3) });
    const rows = toRecordBatch(
      new RecordBatch(strict, makeData({ type: new Struct(strict.fields), length: 1, children: [data] })),
    );
    const base = batchOfColumns([makeData({ type: new Int32(), data: Int32Array.of(1, 2) })]);
    expect(decodeBatches(encodeBatches([base, rows])).flatMap(tuplesOf)).toEqual([[1], [2], [3]]);
  });
});
