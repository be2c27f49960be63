/**
 * Whether the parameters of a type are ones that Arrow has. apache-arrow takes whatever number it is given, by its constructors or by
 * the metadata of a stream, and the widths of what it reads follow from them: of a width below zero no buffer is ever too short.
 * Source: Schema.fbs of the Arrow format.
 */
import {
  type DataType,
  type Decimal,
  type Dictionary,
  type FixedSizeBinary,
  type FixedSizeList,
  type Float,
  type Int,
  type Time,
  TimeUnit,
  Type,
} from "apache-arrow";
import { KhonsuError } from "../errors.ts";
import { childTypes } from "./layout.ts";

const INT_BITS: readonly number[] = [8, 16, 32, 64];
const DECIMAL_BITS: readonly number[] = [32, 64, 128, 256];
const LENGTH_MAX = 2 ** 31 - 1;
/** Units are numbered from 0; these are the last ones. */
const PRECISION_LAST = 2;
const DATE_UNIT_LAST = 1;
const INTERVAL_UNIT_LAST = 2;

/**
 * Checks the type and what is inside it.
 *
 * @throws KhonsuError `KHONSU_UNSUPPORTED_TYPE` if a width, a length or a unit is none that Arrow has
 */
export function checkType(type: DataType): void {
  const wrong = wrongIn(type);
  if (wrong !== undefined)
    throw new KhonsuError(
      "KHONSU_UNSUPPORTED_TYPE",
      `Cannot handle the Arrow type ${Type[type.typeId]}: ${wrong}`,
    );
  if (type.typeId === Type.Dictionary) {
    checkType((type as Dictionary).indices);
    checkType((type as Dictionary).dictionary);
  } else for (const child of childTypes(type)) checkType(child);
}

function wrongIn(type: DataType): string | undefined {
  switch (type.typeId) {
    case Type.Int:
      return amongst(INT_BITS, (type as Int).bitWidth);
    case Type.Decimal:
      return amongst(DECIMAL_BITS, (type as Decimal).bitWidth);
    case Type.Float:
      return upTo(PRECISION_LAST, (type as Float).precision, "precision");
    case Type.Date:
      return upTo(DATE_UNIT_LAST, unitOf(type), "unit");
    case Type.Interval:
      return upTo(INTERVAL_UNIT_LAST, unitOf(type), "unit");
    case Type.Timestamp:
    case Type.Duration:
      return upTo(TimeUnit.NANOSECOND, unitOf(type), "unit");
    case Type.Time:
      return (
        upTo(TimeUnit.NANOSECOND, unitOf(type), "unit") ??
        amongst([unitOf(type) <= TimeUnit.MILLISECOND ? 32 : 64], (type as Time).bitWidth)
      );
    case Type.FixedSizeBinary:
      return upTo(LENGTH_MAX, (type as FixedSizeBinary).byteWidth, "width in bytes");
    case Type.FixedSizeList:
      return upTo(LENGTH_MAX, (type as FixedSizeList).listSize, "length");
    default:
      return undefined;
  }
}

function unitOf(type: DataType): number {
  return (type as DataType & { readonly unit: number }).unit;
}

function amongst(widths: readonly number[], bits: number): string | undefined {
  return widths.includes(bits) ? undefined : `it is ${bits} bits wide instead of ${widths.join(", ")}`;
}

function upTo(last: number, value: number, what: string): string | undefined {
  return Number.isInteger(value) && value >= 0 && value <= last ? undefined : `its ${what} is ${value}`;
}
