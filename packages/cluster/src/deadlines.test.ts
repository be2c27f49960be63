import { expect, test } from "vitest";
import { ManualRuntime } from "../test/manual-runtime.ts";
import { Deadlines } from "./deadlines.ts";

test("each deadline comes when its time is up, in order, unless it was cancelled", async () => {
  const runtime = new ManualRuntime();
  const deadlines = new Deadlines(runtime, 100);
  const due: number[] = [];
  const kept = [0, 1, 2, 3].map((each) => deadlines.add(() => due.push(each)));
  deadlines.cancel(kept[1]!);
  await runtime.pass(60);
  const late = deadlines.add(() => due.push(4));
  await runtime.pass(39);
  expect(due).toEqual([]);
  await runtime.pass(1);
  expect(due).toEqual([0, 2, 3]);
  deadlines.cancel(kept[0]!);
  await runtime.pass(59);
  expect(due).toEqual([0, 2, 3]);
  await runtime.pass(1);
  expect(due).toEqual([0, 2, 3, 4]);
  deadlines.cancel(late);
  deadlines.add(() => due.push(5));
  await runtime.pass(100);
  expect(due).toEqual([0, 2, 3, 4, 5]);
});

test("thousands that were cancelled are let go, and what is added while one is due comes later", async () => {
  const runtime = new ManualRuntime();
  const deadlines = new Deadlines(runtime, 100);
  let due = 0;
  for (let i = 0; i < 5000; i++) deadlines.cancel(deadlines.add(() => due++));
  deadlines.add(() => {
    due++;
    deadlines.add(() => due++);
  });
  await runtime.pass(100);
  expect(due).toBe(1);
  await runtime.pass(99);
  expect(due).toBe(1);
  await runtime.pass(1);
  expect(due).toBe(2);
});

test("a clock that comes to a deadline but for a rounding error does not stand still", () => {
  let now = 0;
  const timers: (() => void)[] = [];
  const runtime = {
    now: () => now,
    random: () => 0,
    schedule: (milliseconds: number, run: () => void) => {
      timers.push(() => {
        // What is too little for the clock to show is lost.
        now += milliseconds < 1e-6 ? 0 : milliseconds - 1e-9;
        run();
      });
      return () => {};
    },
  };
  const deadlines = new Deadlines(runtime, 250);
  let due = 0;
  deadlines.add(() => due++);
  for (let timer = 0; timer < 10; timer++) timers.shift()?.();
  expect(due).toBe(1);
});
