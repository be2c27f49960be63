/**
 * One case or more for every class of type that apache-arrow exports, by the name of the class. A test compares the
 * names with the exports, so a type that a new version adds fails until it has a case here.
 */
import * as arrow from "apache-arrow";
import { type DataType, Field } from "apache-arrow";
import type { Random } from "./random.ts";

const { DateUnit, IntervalUnit, Precision, TimeUnit, UnionMode } = arrow;

function field(name: string, type: DataType, nullable = true): Field {
  return new Field(name, type, nullable);
}

function entries(key: DataType, value: DataType): Field<arrow.Struct<{ key: DataType; value: DataType }>> {
  return field(
    "entries",
    new arrow.Struct([field("key", key, false), field("value", value)]),
    false,
  ) as never;
}

function variants(): Field[] {
  return [
    field("number", new arrow.Int32()),
    field("text", new arrow.Utf8()),
    field("flag", new arrow.Bool()),
  ];
}

/** The scalar types, from which nested ones are made. */
export const SCALAR_TYPES: Readonly<Record<string, readonly (() => DataType)[]>> = {
  Null: [() => new arrow.Null()],
  Bool: [() => new arrow.Bool()],
  Int: [() => new arrow.Int(true, 32), () => new arrow.Int(false, 64)],
  Int8: [() => new arrow.Int8()],
  Int16: [() => new arrow.Int16()],
  Int32: [() => new arrow.Int32()],
  Int64: [() => new arrow.Int64()],
  Uint8: [() => new arrow.Uint8()],
  Uint16: [() => new arrow.Uint16()],
  Uint32: [() => new arrow.Uint32()],
  Uint64: [() => new arrow.Uint64()],
  Float: [() => new arrow.Float(Precision.HALF), () => new arrow.Float(Precision.DOUBLE)],
  Float16: [() => new arrow.Float16()],
  Float32: [() => new arrow.Float32()],
  Float64: [() => new arrow.Float64()],
  Decimal: [32, 64, 128, 256].map((bits) => () => new arrow.Decimal(2, 9, bits)),
  Binary: [() => new arrow.Binary()],
  LargeBinary: [() => new arrow.LargeBinary()],
  BinaryView: [() => new arrow.BinaryView()],
  Utf8: [() => new arrow.Utf8()],
  LargeUtf8: [() => new arrow.LargeUtf8()],
  Utf8View: [() => new arrow.Utf8View()],
  FixedSizeBinary: [() => new arrow.FixedSizeBinary(3)],
  Date_: [() => new arrow.Date_(DateUnit.DAY), () => new arrow.Date_(DateUnit.MILLISECOND)],
  DateDay: [() => new arrow.DateDay()],
  DateMillisecond: [() => new arrow.DateMillisecond()],
  Time: [() => new arrow.Time(TimeUnit.SECOND, 32), () => new arrow.Time(TimeUnit.NANOSECOND, 64)],
  TimeSecond: [() => new arrow.TimeSecond()],
  TimeMillisecond: [() => new arrow.TimeMillisecond()],
  TimeMicrosecond: [() => new arrow.TimeMicrosecond()],
  TimeNanosecond: [() => new arrow.TimeNanosecond()],
  Timestamp: [
    () => new arrow.Timestamp(TimeUnit.SECOND),
    () => new arrow.Timestamp(TimeUnit.NANOSECOND, "Europe/Oslo"),
  ],
  TimestampSecond: [() => new arrow.TimestampSecond()],
  TimestampMillisecond: [() => new arrow.TimestampMillisecond("UTC")],
  TimestampMicrosecond: [() => new arrow.TimestampMicrosecond()],
  TimestampNanosecond: [() => new arrow.TimestampNanosecond()],
  Interval: [() => new arrow.Interval(IntervalUnit.DAY_TIME)],
  IntervalDayTime: [() => new arrow.IntervalDayTime()],
  IntervalYearMonth: [() => new arrow.IntervalYearMonth()],
  IntervalMonthDayNano: [() => new arrow.IntervalMonthDayNano()],
  Duration: [() => new arrow.Duration(TimeUnit.MILLISECOND)],
  DurationSecond: [() => new arrow.DurationSecond()],
  DurationMillisecond: [() => new arrow.DurationMillisecond()],
  DurationMicrosecond: [() => new arrow.DurationMicrosecond()],
  DurationNanosecond: [() => new arrow.DurationNanosecond()],
};

/** Dictionary ids stay the same from run to run: apache-arrow counts them up by itself otherwise. */
let nextDictionaryId = 1_000;

function dictionary(values: DataType, indices: DataType): DataType {
  return new arrow.Dictionary(values, indices as never, nextDictionaryId++);
}

export const NESTED_TYPES: Readonly<Record<string, readonly (() => DataType)[]>> = {
  List: [
    () => new arrow.List(field("item", new arrow.Utf8())),
    () => new arrow.List(field("item", new arrow.Null())),
  ],
  LargeList: [() => new arrow.LargeList(field("item", new arrow.Int16()))],
  FixedSizeList: [() => new arrow.FixedSizeList(2, field("item", new arrow.Utf8View()))],
  Struct: [() => new arrow.Struct([field("a", new arrow.Bool()), field("b", new arrow.Utf8())])],
  Map_: [() => new arrow.Map_(entries(new arrow.Utf8(), new arrow.Int32()))],
  Union: [() => new arrow.Union(UnionMode.Dense, [7, 2, 5], variants())],
  DenseUnion: [
    () => new arrow.DenseUnion([0, 1, 2], variants()),
    () => new arrow.DenseUnion([5, 3, 9], variants()),
  ],
  SparseUnion: [
    () => new arrow.SparseUnion([0, 1, 2], variants()),
    () => new arrow.SparseUnion([5, 3, 9], variants()),
  ],
  Dictionary: [
    () => dictionary(new arrow.Utf8(), new arrow.Int32()),
    () => dictionary(new arrow.Int64(), new arrow.Uint8()),
    () => dictionary(new arrow.Utf8View(), new arrow.Int64()),
    () => dictionary(new arrow.Struct([field("a", new arrow.Int8())]), new arrow.Int16()),
  ],
};

/** Every case, with a name for the test. */
export const TYPE_CASES: readonly { readonly name: string; readonly make: () => DataType }[] = Object.entries(
  {
    ...SCALAR_TYPES,
    ...NESTED_TYPES,
  },
).flatMap(([name, cases]) => cases.map((make, i) => ({ name: `${name} ${i}: ${make()}`, make })));

/** A type that may nest `depth` levels deep. */
export function randomType(random: Random, depth: number): DataType {
  const scalar = () => random.pick(random.pick(Object.values(SCALAR_TYPES)))();
  if (depth === 0) return scalar();
  const inner = (name: string) => field(name, randomType(random, depth - 1));
  switch (random.below(10)) {
    case 0:
      return new arrow.List(inner("item"));
    case 1:
      return new arrow.LargeList(inner("item"));
    case 2:
      return new arrow.FixedSizeList(1 + random.below(3), inner("item"));
    case 3:
      return new arrow.Struct([inner("a"), inner("b")]);
    case 4:
      return new arrow.Map_(entries(new arrow.Utf8(), randomType(random, depth - 1)));
    case 5:
      return new arrow.DenseUnion([4, 1], [inner("a"), inner("b")]);
    case 6:
      return new arrow.SparseUnion([0, 6], [inner("a"), inner("b")]);
    case 7:
      return dictionary(scalar(), random.pick([new arrow.Int32(), new arrow.Uint16(), new arrow.Int8()]));
    default:
      return scalar();
  }
}
