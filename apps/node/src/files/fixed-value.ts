/** One value of a type of fixed width into its buffer: numbers, booleans, decimals, and everything that has to do with time. */
import {
  type DataType,
  type Date_,
  DateUnit,
  type Decimal,
  type Duration,
  type FixedSizeBinary,
  type Float,
  type Int,
  Precision,
  type Time,
  type Timestamp,
  Type,
} from "apache-arrow";
import { parseDate, parseDuration, parseTime, parseTimestamp } from "./civil-time.ts";
import type { Plain } from "./plain.ts";

/** Why a value is not of a type; reads on from the value. */
export class ValueError extends Error {}

export interface FixedValues {
  readonly buffer: ArrayBufferView;
  /** @throws ValueError, RangeError */
  set(i: number, value: Plain): void;
}

const DAY_MS = 86_400_000n;
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?$/;

export function fixedValues(type: DataType, length: number): FixedValues {
  switch (type.typeId) {
    case Type.Bool:
      return bits(length);
    case Type.Int:
      return integers(type as Int, length);
    case Type.Float:
      return floats(type as Float, length);
    case Type.Decimal:
      return decimals(type as Decimal, length);
    case Type.Date:
      return dates(type as Date_, length);
    case Type.Time: {
      const { unit, bitWidth } = type as Time;
      return counts(bitWidth, length, (value) => parseTime(value, unit));
    }
    case Type.Timestamp: {
      const { unit, timezone } = type as Timestamp;
      return counts(64, length, (value) => parseTimestamp(value, unit, Boolean(timezone)));
    }
    case Type.Duration:
      return counts(64, length, (value) => parseDuration(value, (type as Duration).unit));
    case Type.FixedSizeBinary:
      return fixedBytes(type as FixedSizeBinary, length);
    default:
      throw new ValueError(`cannot be given as text: the type is ${type}`);
  }
}

function bits(length: number): FixedValues {
  const buffer = new Uint8Array(Math.ceil(length / 8));
  const set = (i: number, value: Plain) => {
    const text = String(value).toLowerCase();
    if (text === "true") buffer[i >> 3]! |= 1 << (i & 7);
    else if (text !== "false") throw new ValueError("is neither true nor false");
  };
  return { buffer, set };
}

function integers({ bitWidth, isSigned }: Int, length: number): FixedValues {
  const min = isSigned ? -(2n ** BigInt(bitWidth - 1)) : 0n;
  const max = 2n ** BigInt(isSigned ? bitWidth - 1 : bitWidth) - 1n;
  const check = (value: Plain) => {
    const whole = wholeNumber(value);
    if (whole === undefined) throw new ValueError("is no whole number");
    if (whole < min || whole > max) throw new ValueError(`is not from ${min} to ${max}`);
    return whole;
  };
  if (bitWidth === 64) {
    const buffer = isSigned ? new BigInt64Array(length) : new BigUint64Array(length);
    return { buffer, set: (i, value) => buffer.set([check(value)], i) };
  }
  const signed = { 8: Int8Array, 16: Int16Array, 32: Int32Array };
  const unsigned = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array };
  const buffer = new (isSigned ? signed : unsigned)[bitWidth](length);
  return { buffer, set: (i, value) => buffer.set([Number(check(value))], i) };
}

function wholeNumber(value: Plain): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== "string" || !/^[+-]?\d+$/.test(value)) return undefined;
  return BigInt(value.replace("+", ""));
}

/** Halves are gathered as floats: whoever makes the column turns them into sixteen bits. */
function floats({ precision }: Float, length: number): FixedValues {
  const buffer = precision === Precision.DOUBLE ? new Float64Array(length) : new Float32Array(length);
  return { buffer, set: (i, value) => buffer.set([floatOf(value)], i) };
}

function floatOf(value: Plain): number {
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  const text = typeof value === "string" ? value.trim() : "";
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  const special = text.toLowerCase().match(/^([+-]?)(nan|inf|infinity)$/);
  if (special === null) throw new ValueError("is no number");
  if (special[2] === "nan") return Number.NaN;
  return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function decimals({ precision, scale, bitWidth }: Decimal, length: number): FixedValues {
  const words = bitWidth / 32;
  const buffer = new Uint32Array(length * words);
  const set = (i: number, value: Plain) => {
    let rest = BigInt.asUintN(bitWidth, unscaled(value, precision, scale));
    for (let word = 0; word < words; word++, rest >>= 32n)
      buffer[i * words + word] = Number(rest & 0xffffffffn);
  };
  return { buffer, set };
}

function unscaled(value: Plain, precision: number, scale: number): bigint {
  const text = typeof value === "object" || typeof value === "boolean" ? "" : String(value);
  const [, sign, whole = "", fraction = ""] = text.match(DECIMAL) ?? [];
  if (sign === undefined || whole + fraction === "") throw new ValueError("is no decimal number");
  if (/[1-9]/.test(fraction.slice(scale)))
    throw new ValueError(`has more than ${scale} digits behind the point`);
  const digits = BigInt(whole + fraction.slice(0, scale).padEnd(scale, "0"));
  if (digits >= 10n ** BigInt(precision)) throw new ValueError(`has more than ${precision} digits`);
  return sign === "-" ? -digits : digits;
}

function dates({ unit }: Date_, length: number): FixedValues {
  if (unit === DateUnit.DAY) return counts(32, length, parseDate);
  const isCount = (text: string) => /^-?\d+$/.test(text);
  return counts(64, length, (text) => (isCount(text) ? BigInt(text) : parseDate(text) * DAY_MS));
}

function counts(bitWidth: 32 | 64, length: number, parse: (text: string) => bigint): FixedValues {
  const buffer = bitWidth === 32 ? new Int32Array(length) : new BigInt64Array(length);
  const set = (i: number, value: Plain) => {
    if (value === null || typeof value === "object" || typeof value === "boolean")
      throw new ValueError("is no time");
    const count = parse(String(value));
    if (BigInt.asIntN(bitWidth, count) !== count) throw new ValueError("is out of range");
    buffer[i] = buffer instanceof Int32Array ? Number(count) : count;
  };
  return { buffer, set };
}

function fixedBytes({ byteWidth }: FixedSizeBinary, length: number): FixedValues {
  const buffer = new Uint8Array(length * byteWidth);
  const set = (i: number, value: Plain) => {
    const bytes = bytesOf(value);
    if (bytes.length !== byteWidth) throw new ValueError(`has ${bytes.length} bytes instead of ${byteWidth}`);
    buffer.set(bytes, i * byteWidth);
  };
  return { buffer, set };
}

/** @throws ValueError */
export function bytesOf(value: Plain): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value, "base64") : undefined;
  if (bytes === undefined || bytes.toString("base64") !== value)
    throw new ValueError("is not bytes in base64");
  return bytes;
}
