import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Disk, type DiskBatch, type DiskError } from "./disk.ts";
import { TEXT_CODEC } from "./disk-codec.ts";
import { Prng } from "./prng.ts";
import { Scheduler } from "./scheduler.ts";

function setup(seed: number, tearsBatches = true) {
  const scheduler = new Scheduler();
  const disk = new Disk<string>(scheduler, new Prng(seed), {
    codec: TEXT_CODEC,
    syncMinUs: 100,
    syncMeanUs: 100,
    tearsBatches,
  });
  const put = (key: string, value: string): DiskBatch<string> => [{ kind: "put", key, value }];
  return { scheduler, disk, put };
}

describe("disk", () => {
  test("a crash keeps what was reported as synced, a prefix of the rest, and at most one torn record", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 3_000 }), (seed, crashUs) => {
        const { scheduler, disk, put } = setup(seed);
        let synced = 0;
        const writeNext = (index: number) => {
          disk.write(put(`k${index}`, `value-${index}`), () => {
            synced += 1;
            expect(synced).toBe(index + 1);
          });
        };
        const writes = Array.from({ length: 10 }, (_, index) => index).filter(
          (index) => index * 200 <= crashUs,
        );
        for (const index of writes) scheduler.at(index * 200, () => writeNext(index));
        scheduler.runUntil(crashUs);
        const reported = synced;
        disk.crash();
        scheduler.runUntil(10_000);
        const kept = disk.keys();
        const whole = kept.filter((key, index) => disk.durable.get(key) === `value-${index}`);
        expect(kept).toEqual(kept.map((_, index) => `k${index}`));
        expect(whole.length).toBeGreaterThanOrEqual(reported);
        expect(kept.length - whole.length).toBeLessThanOrEqual(1);
        if (kept.length > whole.length) expect(whole).toEqual(kept.slice(0, -1));
      }),
    );
  });

  test("batches are atomic unless the disk tears them", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { disk, scheduler } = setup(seed, false);
        disk.write([...setup(0).put("a", "1"), ...setup(0).put("b", "2")], () => {});
        disk.crash();
        scheduler.runUntil(10_000);
        expect([[], ["a", "b"]]).toContainEqual(disk.keys());
      }),
    );
  });

  test("writes that wait share one sync; a slow disk is slow, a stalled one reports nothing until it resumes", () => {
    const { scheduler, disk, put } = setup(1);
    const done: number[] = [];
    disk.slowDown(100);
    for (let index = 0; index < 5; index += 1) disk.write(put(`k${index}`, "v"), () => done.push(index));
    scheduler.runUntil(9_999);
    expect(done).toEqual([]);
    disk.stall();
    scheduler.runUntil(10_000_000);
    expect(done).toEqual([]);
    expect(disk.isBusy).toBe(true);
    disk.slowDown(1);
    disk.resume();
    scheduler.runUntil(20_000_000);
    expect(done).toEqual([0, 1, 2, 3, 4]);
    expect(disk.counts.syncs).toBe(2);
  });

  test("after a failed sync all writes fail until the restart, whatever reached the disk", () => {
    const { scheduler, disk, put } = setup(2);
    const outcomes: (DiskError | undefined)[] = [];
    disk.failWrites("disk-full");
    disk.write(put("a", "1"), (error) => outcomes.push(error));
    scheduler.runUntil(10_000);
    disk.failWrites(undefined);
    disk.write(put("b", "2"), (error) => outcomes.push(error));
    scheduler.runUntil(20_000);
    expect(outcomes).toEqual(["disk-full", "disk-full"]);
    expect(disk.keys()).not.toContain("b");
    disk.crash();
    disk.write(put("c", "3"), (error) => outcomes.push(error));
    scheduler.runUntil(30_000);
    expect(outcomes.at(-1)).toBeUndefined();
    expect(disk.read("c")).toEqual({ kind: "value", value: "3" });
  });

  test("what is written behind a failed write is never kept, not even by a crash", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { scheduler, disk, put } = setup(seed);
        disk.failWrites("io-error");
        disk.write(put("a", "1"), () => {});
        disk.write(put("b", "2"), () => {});
        scheduler.runUntil(250);
        disk.failWrites(undefined);
        disk.crash();
        const kept = disk.keys();
        expect(kept).toEqual(["a", "b"].slice(0, kept.length));
        if (kept.length === 2) expect(disk.durable.get("a")).toBe("1");
      }),
    );
  });

  test("rot, misdirection and unreadable records last until they are written again", () => {
    const { scheduler, disk, put } = setup(3);
    disk.write([...put("a", "aaaa"), ...put("b", "bbbb")], () => {});
    scheduler.runUntil(10_000);
    expect(disk.rot("a")).toBe(true);
    expect(disk.rot("absent")).toBe(false);
    expect(disk.misdirect("b", "a")).toBe(true);
    expect(disk.read("b")).toEqual(disk.read("a"));
    expect(disk.read("a")).not.toEqual({ kind: "value", value: "aaaa" });
    expect(disk.makeUnreadable("a")).toBe(true);
    expect(disk.read("a")).toEqual({ kind: "io-error" });
    expect(disk.damagedKeys).toEqual(new Set(["a", "b"]));
    disk.write([...put("a", "aaaa"), ...put("b", "bbbb")], () => {});
    scheduler.runUntil(20_000);
    expect(disk.damagedKeys).toEqual(new Set());
    expect(disk.read("a")).toEqual({ kind: "value", value: "aaaa" });
    expect(disk.read("b")).toEqual({ kind: "value", value: "bbbb" });
    disk.wipe();
    expect(disk.read("a")).toEqual({ kind: "missing" });
  });

  test("a crash within a completion silences the completions after it", () => {
    const { scheduler, disk, put } = setup(4);
    const done: string[] = [];
    disk.write(put("first", "1"), () => done.push("first"));
    disk.write(put("a", "1"), () => {
      done.push("a");
      disk.crash();
    });
    disk.write(put("b", "2"), () => done.push("b"));
    scheduler.runUntil(10_000);
    expect(done).toEqual(["first", "a"]);
    expect(disk.keys()).toEqual(["a", "b", "first"]);
  });
});
