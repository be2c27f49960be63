import { describe, expect, test } from "vitest";
import { NodeClock } from "./node-clock.ts";
import { Scheduler } from "./scheduler.ts";

describe("node clock", () => {
  test("skew, drift and jumps add up and never touch virtual time", () => {
    const scheduler = new Scheduler();
    const clock = new NodeClock(scheduler, 500, 100_000);
    expect(clock.nowUs).toBe(500);
    scheduler.runUntil(1_000);
    expect(clock.nowUs).toBeCloseTo(1_600);
    expect(clock.duration(1_100)).toBeCloseTo(1_000);
    clock.drift(-500_000);
    scheduler.runUntil(2_000);
    expect(clock.nowUs).toBeCloseTo(2_100);
    clock.jump(-10_000);
    expect(clock.nowUs).toBeCloseTo(-7_900);
    expect(scheduler.nowUs).toBe(2_000);
  });

  test("a clock never stands still or runs back by drift", () => {
    expect(() => new NodeClock(new Scheduler(), 0, -1_000_000)).toThrow(RangeError);
  });
});
