import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Scheduler } from "./scheduler.ts";

describe("scheduler", () => {
  test("events run in the order of time, ties in the order of scheduling", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 200 }), (times) => {
        const scheduler = new Scheduler();
        const ran: { atUs: number; index: number }[] = [];
        times.forEach((atUs, index) => {
          scheduler.at(atUs, () => {
            expect(scheduler.nowUs).toBe(atUs);
            ran.push({ atUs, index });
          });
        });
        scheduler.runUntil(1_000);
        const expected = times.map((atUs, index) => ({ atUs, index }));
        expected.sort((one, other) => one.atUs - other.atUs || one.index - other.index);
        expect(ran).toEqual(expected);
        expect(scheduler.nowUs).toBe(1_000);
      }),
    );
  });

  test("a cancelled event does not run, one in the past runs now, and events may schedule events", () => {
    const scheduler = new Scheduler();
    const ran: string[] = [];
    scheduler.at(10, () => {
      ran.push("first");
      scheduler.at(3, () => ran.push(`late at ${scheduler.nowUs}`));
    });
    scheduler.at(20, () => ran.push("cancelled")).cancel();
    scheduler.at(30, () => ran.push("beyond"));
    expect(scheduler.runUntil(25)).toBe(false);
    expect(ran).toEqual(["first", "late at 10"]);
    expect(scheduler.steps).toBe(2);
  });

  test("awaiting code runs to its next await on time before the next event", async () => {
    const scheduler = new Scheduler();
    const log: string[] = [];
    const sleep = (us: number) => new Promise<void>((resolve) => scheduler.after(us, resolve));
    const worker = async (name: string, us: number) => {
      for (let round = 0; round < 2; round += 1) {
        await sleep(us);
        await Promise.resolve();
        log.push(`${name}@${scheduler.nowUs}`);
      }
    };
    const workers = [worker("a", 10), worker("b", 15)];
    await scheduler.runUntilAsync(100);
    await Promise.all(workers);
    expect(log).toEqual(["a@10", "b@15", "a@20", "b@30"]);
  });
});
