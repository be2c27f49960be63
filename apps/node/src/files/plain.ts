/**
 * Values as they stand between Arrow and text: what CSV, JSON and tables print, and what they are read from. 64-bit integers
 * are bigints; what JSON has no form for is text: dates and times in ISO 8601, decimals in digits, bytes in base64.
 */

export type Plain =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Plain[]
  | { readonly [name: string]: Plain };

/** A part of the same proposal as the `source` below, which TypeScript does not know either. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
/** JSON has it, though `JSON.stringify` does not write it. */
const MINUS_ZERO = rawJSON("-0");

/**
 * JSON that loses nothing: a bigint is a number where every reader takes it exactly, otherwise a string of its digits, as are
 * the floats that JSON does not have.
 */
export function toJson(value: Plain, indent?: number): string {
  return JSON.stringify(value, asJson, indent);
}

/** @throws SyntaxError */
export function fromJson(text: string): Plain {
  return JSON.parse(text, keepWholeNumbers as (key: string, value: unknown) => unknown) as Plain;
}

function asJson(_: string, value: unknown): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return Object.is(value, -0) ? MINUS_ZERO : value;
}

/** A whole number that a double cannot hold is a bigint instead of another number. */
function keepWholeNumbers(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== "number" || Number.isSafeInteger(value) || source === undefined) return value;
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/** One line for a cell of CSV or of a table; null has none. */
export function toText(value: Plain): string | null {
  if (value === null) return null;
  if (typeof value === "object") return toJson(value);
  return Object.is(value, -0) ? "-0" : String(value);
}
