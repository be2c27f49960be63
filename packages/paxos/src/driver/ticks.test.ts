import { expect, test } from "vitest";
import { Ticks } from "./ticks.ts";

/** A clock that is moved by hand, with one timer. */
class ManualClock {
  at: number;
  timer: { readonly at: number; readonly callback: () => void } | undefined;

  constructor(at: number) {
    this.at = at;
  }

  now(): number {
    return this.at;
  }

  after(milliseconds: number, callback: () => void): () => void {
    expect(Number.isInteger(milliseconds)).toBe(true);
    const timer = { at: this.at + milliseconds, callback };
    this.timer = timer;
    return () => {
      if (this.timer === timer) this.timer = undefined;
    };
  }

  moveTo(at: number): void {
    this.at = at;
    while (this.timer !== undefined && this.timer.at <= at) {
      const { callback } = this.timer;
      this.timer = undefined;
      callback();
    }
  }
}

function ticking(from: number) {
  const clock = new ManualClock(from);
  const taken: [at: number, ticks: number][] = [];
  const ticks = new Ticks(clock, 50, () => taken.push([clock.at, ticks.take()]));
  ticks.start();
  return { clock, taken, ticks };
}

test("ticks lie on whole multiples of their length, and the first is no shorter than the others", () => {
  const { clock, taken } = ticking(112.5);
  for (let at = 113; at <= 320; at += 0.5) clock.moveTo(at);
  // From 150, the next multiple, on: so the first one takes 87.5 ms, and timers a whole number of them, here half of one more.
  expect(taken).toEqual([
    [200.5, 1],
    [250.5, 1],
    [300.5, 1],
  ]);
});

test("those that went by while the process was paused are taken at once", () => {
  const { clock, taken, ticks } = ticking(100);
  clock.moveTo(385);
  expect(taken).toEqual([[385, 5]]);
  clock.at = 399;
  expect(ticks.take()).toBe(0);
  clock.at = 450;
  expect(ticks.take()).toBe(2);
});

test("none come after the end, also where it comes with a tick", () => {
  const { clock, taken, ticks } = ticking(100);
  clock.moveTo(150);
  ticks.stop();
  clock.moveTo(400);
  expect(taken).toHaveLength(1);
  expect(clock.timer).toBeUndefined();
  ticks.start();
  expect(clock.timer).toBeUndefined();
});
