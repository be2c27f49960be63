/** 32-bit offsets run out at 2^31 - 1; a list of nulls gets there without a byte of memory. */
import { Field, List, makeData, Null } from "apache-arrow";
import { expect, test } from "vitest";
import { ChunkedValue } from "../../src/table/chunked-value.ts";
import { concatBatches } from "../../src/table/concat.ts";
import { batchOfColumns } from "./batches.ts";

const ITEMS = 2 ** 30;

function listOf(items: number) {
  const type = new List(new Field("item", new Null(), true));
  const child = makeData({ type: new Null(), length: items });
  return batchOfColumns([makeData({ type, length: 1, valueOffsets: Int32Array.of(0, items), child })]);
}

test("rows that would make the value too large for its offsets are refused at the append", () => {
  const value = ChunkedValue.of(listOf(ITEMS));
  const code = "KHONSU_UNSUPPORTED_TYPE";
  expect(() => value.append(listOf(ITEMS), "k")).toThrow(expect.objectContaining({ code }));
  expect(() => concatBatches([listOf(ITEMS), listOf(ITEMS)])).toThrow(expect.objectContaining({ code }));
  const largest = value.append(listOf(ITEMS - 1), "k").toBatch();
  expect([...largest.data.children[0]!.valueOffsets]).toEqual([0, ITEMS, 2 ** 31 - 1]);
});
