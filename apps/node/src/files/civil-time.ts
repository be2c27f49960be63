/**
 * Dates, times and spans as text and back, exactly, in whichever unit Arrow counts them: the integers stay bigints, so nothing
 * goes through a double. What ISO 8601 has no four-digit year for is written as the bare count, which is read back too.
 */
import { TimeUnit } from "apache-arrow";

const PER_SECOND: Readonly<Record<TimeUnit, bigint>> = {
  [TimeUnit.SECOND]: 1n,
  [TimeUnit.MILLISECOND]: 1000n,
  [TimeUnit.MICROSECOND]: 1_000_000n,
  [TimeUnit.NANOSECOND]: 1_000_000_000n,
};
const SECONDS_A_DAY = 86_400n;
const YEAR_0 = -62_167_219_200n;
const YEAR_10000 = 253_402_300_800n;
const COUNT = /^-?\d+$/;
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const TIME = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/;
const ZONE = /(?:Z|[+-]\d\d:?\d\d)$/;
const DURATION = /^(-?)PT(\d+)(?:\.(\d{1,9}))?S$/;

/** Days since 1970. */
export function dateText(days: bigint): string {
  return isWritable(days * SECONDS_A_DAY) ? isoSeconds(days * SECONDS_A_DAY).slice(0, 10) : String(days);
}

export function timestampText(count: bigint, unit: TimeUnit, hasZone: boolean): string {
  const { seconds, fraction } = split(count, unit);
  if (!isWritable(seconds)) return String(count);
  return `${isoSeconds(seconds)}${fraction}${hasZone ? "Z" : ""}`;
}

/** Time of day. */
export function timeText(count: bigint, unit: TimeUnit): string {
  const { seconds, fraction } = split(count, unit);
  if (seconds < 0n || seconds >= SECONDS_A_DAY) return String(count);
  return `${isoSeconds(seconds).slice(11)}${fraction}`;
}

export function durationText(count: bigint, unit: TimeUnit): string {
  const { seconds, fraction } = split(count < 0n ? -count : count, unit);
  return `${count < 0n ? "-" : ""}PT${seconds}${fraction}S`;
}

/** @throws RangeError saying what was expected. */
export function parseDate(text: string): bigint {
  if (COUNT.test(text)) return BigInt(text);
  const seconds = secondsOfDate(text);
  if (seconds === undefined) throw new RangeError("is no date such as 2026-11-22");
  return seconds / SECONDS_A_DAY;
}

/** A time without a zone is read as UTC where the column has one. @throws RangeError */
export function parseTimestamp(text: string, unit: TimeUnit, hasZone: boolean): bigint {
  if (COUNT.test(text)) return BigInt(text);
  const zone = text.match(ZONE)?.[0];
  // The end of a bare date looks like a zone.
  const hasTime = text.length > 10;
  const [date = "", time = "00:00"] = (hasTime && zone ? text.slice(0, -zone.length) : text).split(/[T ]/);
  const day = secondsOfDate(date);
  const inDay = countOfTime(time, unit);
  if (day === undefined || inDay === undefined)
    throw new RangeError("is no time such as 2026-11-22T13:45:00Z");
  if (hasTime && zone !== undefined && !hasZone)
    throw new RangeError("names a zone, which the column does not have");
  const offset = hasTime && zone !== undefined ? secondsOfZone(zone) : 0n;
  return (day - offset) * PER_SECOND[unit] + inDay;
}

/** @throws RangeError */
export function parseTime(text: string, unit: TimeUnit): bigint {
  if (COUNT.test(text)) return BigInt(text);
  const count = countOfTime(text, unit);
  if (count === undefined) throw new RangeError("is no time of day such as 13:45:00");
  return count;
}

/** @throws RangeError */
export function parseDuration(text: string, unit: TimeUnit): bigint {
  if (COUNT.test(text)) return BigInt(text);
  const [, sign, seconds, fraction] = text.match(DURATION) ?? [];
  if (seconds === undefined) throw new RangeError("is no duration such as PT1.5S");
  const count = BigInt(seconds) * PER_SECOND[unit] + fractionCount(fraction ?? "", unit);
  return sign === "-" ? -count : count;
}

function split(count: bigint, unit: TimeUnit): { readonly seconds: bigint; readonly fraction: string } {
  const per = PER_SECOND[unit];
  const rest = ((count % per) + per) % per;
  const digits = String(rest)
    .padStart(String(per).length - 1, "0")
    .replace(/0+$/, "");
  return { seconds: (count - rest) / per, fraction: rest === 0n ? "" : `.${digits}` };
}

function isWritable(seconds: bigint): boolean {
  return seconds >= YEAR_0 && seconds < YEAR_10000;
}

function isoSeconds(seconds: bigint): string {
  return new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
}

function secondsOfDate(text: string): bigint | undefined {
  const [, year, month, day] = text.match(DATE)?.map(Number) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal ? BigInt(date.getTime() / 1000) : undefined;
}

function countOfTime(text: string, unit: TimeUnit): bigint | undefined {
  const [, hours, minutes, seconds = "0", fraction = ""] = text.match(TIME) ?? [];
  if (hours === undefined || minutes === undefined) return undefined;
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const whole = BigInt(hours) * 3600n + BigInt(minutes) * 60n + BigInt(seconds);
  return whole * PER_SECOND[unit] + fractionCount(fraction, unit);
}

function fractionCount(fraction: string, unit: TimeUnit): bigint {
  const digits = String(PER_SECOND[unit]).length - 1;
  if (/[1-9]/.test(fraction.slice(digits)))
    throw new RangeError("is finer than the unit of the column can say");
  return BigInt(fraction.slice(0, digits).padEnd(digits, "0") || "0");
}

function secondsOfZone(zone: string): bigint {
  if (zone === "Z") return 0n;
  const minutes = BigInt(zone.slice(1, 3)) * 60n + BigInt(zone.slice(-2));
  return (zone.startsWith("-") ? -minutes : minutes) * 60n;
}
