import fc from "fast-check";
import { expect, test } from "vitest";
import { SharedTimers } from "./shared-timers.ts";

/** A clock that is moved by hand. */
function manual() {
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  const clock = {
    at: 0,
    scheduled: 0,
    now: () => clock.at,
    schedule: (milliseconds: number, run: () => void) => {
      clock.scheduled++;
      const timer = { at: clock.at + milliseconds, run };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    moveTo: (to: number) => {
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= to).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers.delete(next);
        clock.at = Math.max(clock.at, next.at);
        next.run();
      }
      clock.at = to;
    },
    timers,
  };
  return clock;
}

test("who waits for the same point of a grid is called by one timer, and not before that point", () => {
  const property = fc.property(
    fc.array(fc.integer({ min: 0, max: 49_000 }), { minLength: 1, maxLength: 20 }),
    (microseconds) => {
      const clock = manual();
      const timers = new SharedTimers(clock);
      const called: number[] = [];
      for (const moment of microseconds.sort((a, b) => a - b)) {
        clock.moveTo(moment / 1000);
        timers.after(Math.ceil(50 - clock.now()), () => called.push(clock.now()));
      }
      clock.moveTo(60);
      expect(called).toHaveLength(microseconds.length);
      expect(new Set(called).size).toBe(1);
      expect(called[0]).toBeGreaterThanOrEqual(50 - 1e-6);
      expect(clock.scheduled).toBe(1);
    },
  );
  fc.assert(property);
});

test("each is called once, in order, at most a millisecond early; what is cancelled is not, and leaves no timer", () => {
  const clock = manual();
  const timers = new SharedTimers(clock);
  const called: string[] = [];
  const plan = (name: string, milliseconds: number) =>
    timers.after(milliseconds, () => called.push(`${name} at ${clock.now()}`));
  plan("a", 10.2);
  const cancelB = plan("b", 10.9);
  plan("c", 10.4);
  plan("d", 11);
  const cancelE = plan("e", 30);
  const again = timers.after(12, () => {
    again();
    plan("f", 5);
  });
  cancelB();
  cancelE();
  clock.moveTo(100);
  expect(called).toEqual(["a at 10.2", "c at 10.2", "d at 11", "f at 17"]);
  expect(clock.timers.size).toBe(0);
});

test("one that is called may cancel another of the same millisecond", () => {
  const clock = manual();
  const timers = new SharedTimers(clock);
  const called: string[] = [];
  let cancelSecond = () => {};
  timers.after(5, () => {
    called.push("first");
    cancelSecond();
  });
  cancelSecond = timers.after(5, () => called.push("second"));
  clock.moveTo(10);
  expect(called).toEqual(["first"]);
});
