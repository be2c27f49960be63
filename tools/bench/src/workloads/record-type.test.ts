import { RecordBatch, Table, tableFromIPC, tableToIPC } from "apache-arrow";
import { expect, test } from "vitest";
import { RecordType } from "./record-type.ts";

const TYPE = new RecordType({ number: "int32", cents: "float64", text: "utf8" });
const ROWS = [
  { number: 1, cents: 0.5, text: "" },
  { number: -2, cents: 1e15, text: "äöü" },
  { number: 3, cents: -1, text: "x".repeat(300) },
];

test("rows are what they were made of, also after a journey and in slices", () => {
  const batch = TYPE.batch(...ROWS);
  expect(TYPE.rows(batch)).toEqual(ROWS);
  const [sent] = tableFromIPC(tableToIPC(new Table([batch]), "stream")).batches;
  expect(sent).toBeInstanceOf(RecordBatch);
  expect(TYPE.rows(sent)).toEqual(ROWS);
  expect(TYPE.rows(batch.slice(1, 3))).toEqual(ROWS.slice(1));
  expect(TYPE.row(batch, 2)).toEqual(ROWS[2]);
  expect(TYPE.rows(undefined)).toEqual([]);
  expect(() => TYPE.row(undefined)).toThrow("loaded");
});
