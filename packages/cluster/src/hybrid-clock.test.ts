import { type CommitTimestamp, TIMESTAMP_MAX } from "@khonsu/core/isolation";
import { expect, test } from "vitest";
import { HybridClock } from "./hybrid-clock.ts";

const at = (timestamp: number) => timestamp as CommitTimestamp;
/** Units of a timestamp in a millisecond. */
const UNITS = 2048;

test("timestamps rise, also when the clock stands still or goes back", () => {
  let milliseconds = 1000;
  const clock = new HybridClock(() => milliseconds);
  expect(clock.next()).toBe(1000 * UNITS);
  expect(clock.next()).toBe(1000 * UNITS + 1);
  milliseconds = 10;
  expect(clock.next()).toBe(1000 * UNITS + 2);
  milliseconds = 2000;
  expect(clock.next()).toBe(2000 * UNITS);
});

test("timestamps stay above what was merged, and at the hard limit", () => {
  const clock = new HybridClock(() => 5);
  clock.merge(at(7_000_000));
  expect(clock.next()).toBe(7_000_001);
  clock.merge(TIMESTAMP_MAX);
  expect(clock.next()).toBe(TIMESTAMP_MAX);
});

/** TX-29. */
test("a timestamp from nowhere is admitted up to the shard's clock, or ten seconds ahead of the own", () => {
  const clock = new HybridClock(() => 1000);
  expect(clock.admits(at(11_000 * UNITS), at(0))).toBe(true);
  expect(clock.admits(at(11_000 * UNITS + 1), at(0))).toBe(false);
  expect(clock.admits(at(50_000 * UNITS), at(50_000 * UNITS))).toBe(true);
  expect(clock.admits(at(50_000 * UNITS + 1), at(50_000 * UNITS))).toBe(false);
});

test("a moment before now is counted from the latest that is known, and not before 1970", () => {
  const clock = new HybridClock(() => 1000);
  expect(clock.before(400)).toBe(600 * UNITS);
  clock.merge(at(5000 * UNITS));
  expect(clock.before(400)).toBe(4600 * UNITS);
  expect(clock.before(9000)).toBe(0);
});

test("tells whole milliseconds, never negative", () => {
  expect(new HybridClock(() => 1234.9).milliseconds()).toBe(1234);
  expect(new HybridClock(() => -5).milliseconds()).toBe(0);
});
