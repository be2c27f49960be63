/**
 * Arrow values as plain ones, of every type. They are taken from the buffers: apache-arrow's own accessors give times as
 * milliseconds in a double, and decimals without their point.
 */
import {
  type Data,
  type DataType,
  type Date_,
  DateUnit,
  type Decimal,
  type Duration,
  type FixedSizeList,
  type Float,
  type Int,
  type Interval,
  IntervalUnit,
  Precision,
  type Struct,
  type Time,
  type Timestamp,
  TimeUnit,
  Type,
  type Union,
  UnionMode,
  Vector,
} from "apache-arrow";
import { dateText, durationText, timestampText, timeText } from "./civil-time.ts";
import type { Plain } from "./plain.ts";

const DAY_MS = 86_400_000n;

/** What reads a row of `data`. */
export type Reader = (row: number) => Plain;

export function readerOf(data: Data): Reader {
  const read = valueReader(data);
  // Unions have no validity of their own, and a null column no bits.
  if (data.nullCount === 0 || data.typeId === Type.Union || data.typeId === Type.Null) return read;
  return (row) => (data.getValid(row) ? read(row) : null);
}

function valueReader(data: Data): Reader {
  const { values } = data;
  const count = (row: number) => BigInt(values[row]);
  switch (data.typeId) {
    case Type.Null:
      return () => null;
    case Type.Int:
      return (data.type as Int).bitWidth === 64 ? count : (row) => Number(values[row]);
    case Type.Float:
      return floatReader(data);
    case Type.Decimal:
      return (row) => decimalText(data, row);
    case Type.Date:
      return (data.type as Date_).unit === DateUnit.DAY
        ? (row) => dateText(count(row))
        : (row) => dateFromMs(count(row));
    case Type.Time:
      return (row) => timeText(count(row), (data.type as Time).unit);
    case Type.Timestamp: {
      const { unit, timezone } = data.type as Timestamp;
      return (row) => timestampText(count(row), unit, Boolean(timezone));
    }
    case Type.Duration:
      return (row) => durationText(count(row), (data.type as Duration).unit);
    case Type.Interval:
      return (row) => intervalText(data, row);
    case Type.Dictionary:
      return dictionaryReader(data);
    default:
      return nestedReader(data) ?? accessorReader(data);
  }
}

/** Booleans, text and bytes: apache-arrow's accessors are exact for these. */
function accessorReader(data: Data): Reader {
  const vector = new Vector([data]);
  return (row) => {
    const value = vector.get(row);
    return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
  };
}

function nestedReader(data: Data): Reader | undefined {
  switch (data.typeId) {
    case Type.List:
    case Type.LargeList:
    case Type.Map:
      return listReader(data);
    case Type.FixedSizeList: {
      const item = readerOf(data.children[0]!);
      const { listSize } = data.type as FixedSizeList;
      return (row) => Array.from({ length: listSize }, (_, i) => item(row * listSize + i));
    }
    case Type.Struct:
      return structReader(data);
    case Type.Union:
      return unionReader(data);
    default:
      return undefined;
  }
}

/** A map is a list of pairs: its keys may be of any type. */
function listReader({ valueOffsets, children, typeId }: Data): Reader {
  const [child] = children;
  const item = readerOf(child!);
  const [key, value] = typeId === Type.Map ? child!.children.map(readerOf) : [];
  const itemAt: Reader = key && value ? (at) => [key(at), value(at)] : item;
  return (row) => {
    const start = Number(valueOffsets[row]);
    return Array.from({ length: Number(valueOffsets[row + 1]) - start }, (_, i) => itemAt(start + i));
  };
}

function structReader(data: Data): Reader {
  const { children } = data.type as Struct;
  const fields = children.map(({ name }, i) => [name, readerOf(data.children[i]!)] as const);
  return (row) => Object.fromEntries(fields.map(([name, read]) => [name, read(row)]));
}

function unionReader({ type, typeIds, valueOffsets, children }: Data): Reader {
  const { mode, typeIdToChildIndex } = type as Union;
  const readers = children.map(readerOf);
  return (row) => {
    const read = readers[typeIdToChildIndex[Number(typeIds[row])]!]!;
    return read(mode === UnionMode.Dense ? Number(valueOffsets[row]) : row);
  };
}

function dictionaryReader({ values, dictionary }: Data): Reader {
  const chunks = dictionary?.data.map((chunk) => ({ length: chunk.length, read: readerOf(chunk) })) ?? [];
  return (row) => {
    let at = Number(values[row]);
    for (const { length, read } of chunks) {
      if (at < length) return read(at);
      at -= length;
    }
    return null;
  };
}

function floatReader(data: Data): Reader {
  const { precision } = data.type as Float;
  if (precision === Precision.DOUBLE) return (row) => Number(data.values[row]);
  if (precision === Precision.SINGLE) return (row) => shortestFloat32(Number(data.values[row]));
  const vector = new Vector([data]);
  return (row) => Number(vector.get(row));
}

/** The double with the fewest digits that is still this float: 0.1 rather than 0.10000000149011612. */
function shortestFloat32(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Object.is(Math.fround(short), value)) return short;
  }
  return value;
}

function decimalText({ values, stride, type }: Data, row: number): string {
  let digits = 0n;
  for (let word = stride - 1; word >= 0; word--)
    digits = (digits << 32n) | BigInt(values[row * stride + word]);
  digits = BigInt.asIntN(stride * 32, digits);
  const { scale } = type as Decimal;
  if (scale <= 0) return String(digits * 10n ** BigInt(-scale));
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, "0");
  return `${digits < 0n ? "-" : ""}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

/** A date in milliseconds is a whole day by the format; one that is not is shown with its time. */
function dateFromMs(ms: bigint): string {
  const text = ms % DAY_MS === 0n ? dateText(ms / DAY_MS) : timestampText(ms, TimeUnit.MILLISECOND, false);
  return /^-?\d+$/.test(text) ? String(ms) : text;
}

function intervalText({ type, values }: Data, row: number): string {
  const { unit } = type as Interval;
  const part = (width: number, i: number) => Number(values[row * width + i]);
  if (unit === IntervalUnit.YEAR_MONTH) return `P${part(1, 0)}M`;
  if (unit === IntervalUnit.DAY_TIME) return `P${part(2, 0)}DT${part(2, 1) / 1000}S`;
  const nanoseconds = new BigInt64Array(new Int32Array([part(4, 2), part(4, 3)]).buffer)[0]!;
  const seconds = durationText(nanoseconds, TimeUnit.NANOSECOND).replace("PT", "").replace("S", "");
  return `P${part(4, 0)}M${part(4, 1)}DT${seconds}S`;
}

/** Whether values of this type are many, and so are written as JSON where a cell is one text. */
export function isNested(type: DataType): boolean {
  return [Type.List, Type.LargeList, Type.FixedSizeList, Type.Struct, Type.Map].includes(type.typeId);
}
