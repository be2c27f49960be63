/**
 * Types for columns of text: the first of a list that fits every value that is there. Numbers with leading zeros stay text, since
 * they are mostly names such as postal codes; so does a column without values.
 */
import { Bool, type DataType, DateDay, Float64, Int64, Timestamp, TimeUnit, Utf8 } from "apache-arrow";
import { parseDate, parseTimestamp } from "./civil-time.ts";

interface Candidate {
  readonly type: () => DataType;
  readonly fits: (text: string) => boolean;
}

const INTEGER = /^-?(0|[1-9]\d*)$/;
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i;
/** What is no count of days or seconds, which the parsers take as well. */
const TIME = /^\d{4}-\d\d-\d\d/;
const ZONE = /(Z|[+-]\d\d:?\d\d)$/;

const CANDIDATES: readonly Candidate[] = [
  { type: () => new Bool(), fits: (text) => /^(true|false)$/i.test(text) },
  { type: () => new Int64(), fits: isInt64 },
  { type: () => new Float64(), fits: isFloat64 },
  { type: () => new DateDay(), fits: (text) => TIME.test(text) && parses(() => parseDate(text)) },
  timestamps(TimeUnit.MICROSECOND, false),
  timestamps(TimeUnit.MICROSECOND, true),
  timestamps(TimeUnit.NANOSECOND, false),
  timestamps(TimeUnit.NANOSECOND, true),
];

export function inferColumn(values: readonly (string | null)[]): DataType {
  const present = values.filter((value) => value !== null);
  if (present.length === 0) return new Utf8();
  const found = CANDIDATES.find(({ fits }) => present.every(fits));
  return found?.type() ?? new Utf8();
}

function timestamps(unit: TimeUnit, hasZone: boolean): Candidate {
  return {
    type: () => new Timestamp(unit, hasZone ? "UTC" : null),
    fits: (text) =>
      TIME.test(text) &&
      hasZone === (text.length > 10 && ZONE.test(text)) &&
      parses(() => parseTimestamp(text, unit, hasZone)),
  };
}

function isInt64(text: string): boolean {
  if (!INTEGER.test(text)) return false;
  return text.length < 19 || BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

/** Whole numbers beyond 64 bits are no floats: they would lose digits. */
function isFloat64(text: string): boolean {
  if (text === "NaN") return true;
  return NUMBER.test(text) && (!INTEGER.test(text) || isInt64(text));
}

function parses(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
