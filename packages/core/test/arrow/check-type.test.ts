/** Types whose widths, lengths and units are none that Arrow has: apache-arrow takes them all. */
import {
  type DataType,
  Date_,
  Decimal,
  Dictionary,
  Duration,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float,
  Int,
  Int8,
  Interval,
  List,
  RecordBatch,
  Schema,
  Struct,
  Time,
  Timestamp,
  Utf8,
} from "apache-arrow";
import { expect, test } from "vitest";
import { toRecordBatch } from "../../src/table/batch-input.ts";
import { checkType } from "../../src/table/check-type.ts";
import { decodeBatches, encodeBatches } from "../../src/table/index.ts";
import { RowCodec } from "../../src/table/row-codec.ts";
import { batchOfColumns, tuplesOf } from "./batches.ts";
import { buildData } from "./build-data.ts";
import { Random } from "./random.ts";
import { TYPE_CASES } from "./types.ts";

const unsupported = expect.objectContaining({ code: "KHONSU_UNSUPPORTED_TYPE", retryable: false });
const item = (type: DataType) => new Field("item", type, true);

const WRONG: Readonly<Record<string, () => DataType>> = {
  "an integer of 24 bits": () => new Int(true, 24 as never),
  "a decimal of a negative width": () => new Decimal(2, 9, -2_147_483_392),
  "a decimal of 96 bits": () => new Decimal(2, 9, 96),
  "a float of a fourth precision": () => new Float(3 as never),
  "a date of a third unit": () => new Date_(2 as never),
  "an interval of a negative unit": () => new Interval(-7 as never),
  "a timestamp of a fifth unit": () => new Timestamp(4 as never),
  "a duration of a unit that is no number": () => new Duration(undefined as never),
  "seconds of 64 bits": () => new Time(0, 64),
  "nanoseconds of 32 bits": () => new Time(3, 32),
  "bytes of a negative width": () => new FixedSizeBinary(-1),
  "bytes of half a width": () => new FixedSizeBinary(1.5),
  "a list of a negative length": () => new FixedSizeList(-1, item(new Int8())),
  "one inside a list": () => new List(item(new FixedSizeBinary(-1))),
  "one inside a struct": () => new Struct([item(new FixedSizeBinary(-1))]),
  "one as the values of a dictionary": () => new Dictionary(new Decimal(2, 9, 8), new Int8()),
  "one as the indices of a dictionary": () =>
    new Dictionary(new Utf8(), new Int(true, 128 as never) as never),
};

test.each(TYPE_CASES)("$name is one that Arrow has", ({ make }) => {
  expect(() => checkType(make())).not.toThrow();
});

test.each(Object.entries(WRONG))("%s is none", (_, make) => {
  expect(() => checkType(make())).toThrow(unsupported);
});

test("a batch with a column of such a type is refused, without rows too, and rows are not made of it", () => {
  for (const type of [new Decimal(2, 9, -32), new FixedSizeBinary(-1)]) {
    const schema = new Schema([new Field("a", type, true)]);
    expect(() => toRecordBatch(new RecordBatch(schema, undefined))).toThrow(unsupported);
    expect(() => new RowCodec(schema)).toThrow(unsupported);
  }
});

test("a column that is very wide comes back, and its rows are not made up to learn how it is written", () => {
  const wide = new FixedSizeBinary(100_000);
  const batch = batchOfColumns([buildData(wide, [new Uint8Array(100_000).fill(7)], new Random(1))]);
  expect(decodeBatches(encodeBatches([batch])).flatMap(tuplesOf)).toEqual(tuplesOf(batch));
  const widest = new RecordBatch(
    new Schema([new Field("a", new FixedSizeBinary(2 ** 31 - 1), true)]),
    undefined,
  );
  expect(decodeBatches(encodeBatches([widest]))[0]!.numRows).toBe(0);
});
