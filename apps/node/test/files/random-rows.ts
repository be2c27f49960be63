/** Random schemas, of every type that can be named, and rows for them. */
import type { DataType, Field, Schema } from "apache-arrow";
import { TimeUnit, DataType as Types } from "apache-arrow";
import fc from "fast-check";
import { dateText, durationText, timestampText, timeText } from "../../src/files/civil-time.ts";
import type { Plain } from "../../src/files/plain.ts";
import { parseSchema } from "../../src/files/type-text.ts";

const UNITS = ["s", "ms", "us", "ns"];
const SIMPLE = [
  ..."bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 utf8 large_utf8".split(
    " ",
  ),
  ..."binary large_binary date32 date64 null".split(" "),
  "decimal(38, 0)",
  "decimal(12, 4)",
  "decimal256(70, 10)",
  "fixed_size_binary(3)",
  ...UNITS.flatMap((unit) => [
    `timestamp[${unit}]`,
    `timestamp[${unit}, Europe/Berlin]`,
    `time[${unit}]`,
    `duration[${unit}]`,
  ]),
];

const { type: typeTexts } = fc.letrec<{ type: string; simple: string }>((tie) => ({
  simple: fc.constantFrom(...SIMPLE),
  type: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie("simple"),
    tie("type").map((item) => `list<${item}>`),
    tie("type").map((item) => `fixed_size_list<${item}>(2)`),
    fc.tuple(tie("type"), tie("type")).map(([a, b]) => `struct<a: ${a}, "b c": ${b}>`),
    fc
      .tuple(
        tie("simple").filter((text) => text !== "null"),
        tie("type"),
      )
      .map(([key, value]) => `map<${key}, ${value}>`),
    tie("simple")
      .filter((text) => text !== "null")
      .map((value) => `dictionary<${value}>`),
  ),
}));

export const schemas: fc.Arbitrary<Schema> = fc
  .array(fc.tuple(typeTexts, fc.boolean()), { minLength: 1, maxLength: 4 })
  .map((columns) =>
    parseSchema(
      columns
        .map(([type, required], i) => `"c ${i}": ${type}${required && type !== "null" ? " not null" : ""}`)
        .join(", "),
    ),
  );

export function columnsOf(schema: Schema): fc.Arbitrary<Plain[][]> {
  return fc
    .integer({ min: 0, max: 12 })
    .chain((rows) =>
      fc.tuple(
        ...schema.fields.map((field) => fc.array(valuesOf(field), { minLength: rows, maxLength: rows })),
      ),
    );
}

function valuesOf({ type, nullable }: Field): fc.Arbitrary<Plain> {
  const values = plainOf(type);
  return nullable ? fc.option(values, { nil: null, freq: 3 }) : values;
}

function plainOf(type: DataType): fc.Arbitrary<Plain> {
  if (Types.isNull(type)) return fc.constant(null);
  if (Types.isBool(type)) return fc.boolean();
  if (Types.isInt(type)) {
    const { bitWidth, isSigned } = type;
    if (bitWidth === 64)
      return isSigned ? fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) : fc.bigInt(0n, 2n ** 64n - 1n);
    return isSigned
      ? fc.integer({ min: -(2 ** (bitWidth - 1)), max: 2 ** (bitWidth - 1) - 1 })
      : fc.integer({ min: 0, max: 2 ** bitWidth - 1 });
  }
  if (Types.isFloat(type))
    return type.precision === 2 ? fc.double() : fc.integer({ min: -2048, max: 2048 }).map((n) => n / 8);
  if (Types.isDecimal(type)) return decimals(type.precision, type.scale);
  if (Types.isDate(type))
    return fc
      .integer({ min: -1_000_000, max: 5_000_000 })
      .map((days) => (type.unit === 0 ? dateText(BigInt(days)) : date64(BigInt(days))));
  if (Types.isTimestamp(type))
    return counts(63).map((count) => timestampText(count, type.unit, Boolean(type.timezone)));
  if (Types.isTime(type)) return timesOfDay(type.unit);
  if (Types.isDuration(type)) return counts(63).map((count) => durationText(count, type.unit));
  if (Types.isFixedSizeBinary(type)) return base64(type.byteWidth, type.byteWidth);
  if (Types.isBinary(type) || Types.isLargeBinary(type)) return base64(0, 8);
  if (Types.isList(type)) return fc.array(valuesOf(type.children[0]!), { maxLength: 3 });
  if (Types.isFixedSizeList(type))
    return fc.array(valuesOf(type.children[0]!), { minLength: 2, maxLength: 2 });
  if (Types.isStruct(type))
    return fc.record(Object.fromEntries(type.children.map((field) => [field.name, valuesOf(field)])));
  if (Types.isMap(type))
    return fc.array(fc.tuple(plainOf(type.keyType), valuesOf(type.children[0]!.type.children[1]!)), {
      maxLength: 3,
    });
  if (Types.isDictionary(type)) return plainOf(type.dictionary);
  return fc.oneof(
    fc.string(),
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("", "\n", '"', ",", " a ", "null", "é\r\n"),
  );
}

function date64(days: bigint): string {
  const text = dateText(days);
  return /^-?\d+$/.test(text) ? String(days * 86_400_000n) : text;
}

function counts(bits: number): fc.Arbitrary<bigint> {
  const near = fc.bigInt(-(10n ** 12n), 10n ** 12n);
  return fc.oneof(near, fc.bigInt(-(2n ** BigInt(bits)), 2n ** BigInt(bits) - 1n));
}

function timesOfDay(unit: TimeUnit): fc.Arbitrary<string> {
  const perDay =
    86_400n *
    1000n **
      BigInt(
        [TimeUnit.SECOND, TimeUnit.MILLISECOND, TimeUnit.MICROSECOND, TimeUnit.NANOSECOND].indexOf(unit),
      );
  return fc.bigInt(0n, perDay - 1n).map((count) => timeText(count, unit));
}

function decimals(precision: number, scale: number): fc.Arbitrary<string> {
  return fc.bigInt(-(10n ** BigInt(precision)) + 1n, 10n ** BigInt(precision) - 1n).map((digits) => {
    if (scale === 0) return String(digits);
    const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, "0");
    return `${digits < 0n ? "-" : ""}${text.slice(0, -scale)}.${text.slice(-scale)}`;
  });
}

function base64(minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes).toString("base64"));
}
