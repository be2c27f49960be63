/** The values of columns that are seldom in small records (dates, decimals, intervals, halves): set and read by apache-arrow's own vectors. */
import { Data, DataType, DateUnit, IntervalUnit, TimeUnit, Vector } from "apache-arrow";
import type { ValueCodec } from "./column-codec.ts";

const INT64_END = 2 ** 63;
/** How many of a timestamp's units a millisecond has. */
const UNITS_IN_MS: Readonly<Record<TimeUnit, number>> = {
  [TimeUnit.SECOND]: 1 / 1000,
  [TimeUnit.MILLISECOND]: 1,
  [TimeUnit.MICROSECOND]: 1000,
  [TimeUnit.NANOSECOND]: 1_000_000,
};

/** What is seldom in small records: set and read as apache-arrow's vectors do. */
export function byVector(type: DataType): ValueCodec {
  return {
    ...vectorValues(type),
    fill: (values) => {
      const { stride } = new Data(type, 0, 0, 0);
      const array = new type.ArrayType(values.length * stride);
      const vector = new Vector([new Data(type, 0, values.length, 0, [undefined, array] as never)]);
      values.forEach((value, row) => {
        if (value !== undefined) vector.set(row, value as never);
      });
      return [undefined, array];
    },
    read: (column, row) => new Vector([column]).get(row),
  };
}

function vectorValues(type: DataType): Pick<ValueCodec, "name" | "accepts"> {
  if (DataType.isFloat(type)) return { name: "numbers", accepts: (value) => typeof value === "number" };
  if (DataType.isDate(type)) {
    return type.unit === DateUnit.DAY
      ? moments("days", 1 / 86_400_000, 2 ** 31)
      : moments("milliseconds", 1, INT64_END);
  }
  if (DataType.isTimestamp(type))
    return moments(`${TimeUnit[type.unit].toLowerCase()}s`, UNITS_IN_MS[type.unit], INT64_END);
  if (DataType.isFixedSizeBinary(type)) return arrays(Uint8Array, type.byteWidth);
  const isYearMonth = DataType.isInterval(type) && type.unit === IntervalUnit.YEAR_MONTH;
  const { stride } = new Data(type, 0, 0, 0);
  return arrays(type.ArrayType, isYearMonth ? 2 : stride);
}

/** Milliseconds since 1970 that are a whole number of the type's units. */
function moments(unit: string, unitsInMs: number, end: number): Pick<ValueCodec, "name" | "accepts"> {
  const accepts = (value: unknown) => {
    const units =
      typeof value === "number" ? (unitsInMs < 1 ? value / (1 / unitsInMs) : value * unitsInMs) : Number.NaN;
    return Number.isInteger(units) && units >= -end && units < end;
  };
  return { name: `milliseconds since 1970 that are whole ${unit}`, accepts };
}

function arrays(
  of: (new (length: number) => ArrayBufferView) & { readonly name: string },
  length: number,
): Pick<ValueCodec, "name" | "accepts"> {
  const accepts = (value: unknown) => value instanceof of && (value as { length?: number }).length === length;
  return { name: `arrays of class ${of.name} and length ${length}`, accepts };
}
