import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { expect, test } from "vitest";
import { appendRows, chunksAddedTo, fromChunks, toBatch } from "../src/table/stored-value.ts";

const rows = (...ids: number[]): RecordBatch => tableFromArrays({ id: Int32Array.from(ids) }).batches[0]!;
const ids = (batches: readonly RecordBatch[] | undefined) =>
  batches?.flatMap((batch) => [...(batch.getChild("id") ?? [])]);

test("what was appended is told apart from what was there", () => {
  const base = rows(1, 2);
  const value = appendRows(appendRows(base, rows(3), undefined, "k"), rows(4, 5), undefined, "k");
  expect(ids(chunksAddedTo(base, value))).toEqual([3, 4, 5]);
  expect(ids(chunksAddedTo(value, value))).toEqual([]);
  expect(chunksAddedTo(value, base)).toBeUndefined();
});

test("appended rows are found also when chunks were merged, or combined, meanwhile", () => {
  const base = appendRows(rows(0), rows(1), undefined, "k");
  let value = base;
  for (let id = 2; id < 200; id++) value = appendRows(value, rows(id), undefined, "k");
  const expected = Array.from({ length: 198 }, (_, index) => index + 2);
  expect(ids(chunksAddedTo(base, value))).toEqual(expected);
  toBatch(value);
  expect(ids(chunksAddedTo(base, value))).toEqual(expected);
});

test("an upsert that only adds rows counts as an append, one that replaces a row does not", () => {
  const base = rows(1, 2);
  expect(ids(chunksAddedTo(base, appendRows(base, rows(3), "id", "k")))).toEqual([3]);
  expect(chunksAddedTo(base, appendRows(base, rows(2, 3), "id", "k"))).toBeUndefined();
});

test("chunks become one value with the rows in order", () => {
  expect(ids([toBatch(fromChunks([rows(1), rows(2, 3), rows(4).slice(0, 0)]))])).toEqual([1, 2, 3]);
});
