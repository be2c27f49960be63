import { describe, expect, it } from "vitest";
import { Prng } from "../simulator/prng.ts";
import { recordHistory } from "./record.ts";
import { type AbstractTransaction, Workload, type WorkloadOptions } from "./workload.ts";
import { Zipf } from "./zipf.ts";

function transactions(options: Partial<WorkloadOptions>, count = 2000): AbstractTransaction[] {
  const workload = new Workload({ seed: "test", ...options });
  return Array.from({ length: count }, () => workload.next());
}

describe("a workload", () => {
  it("is the same for the same seed, and another for another (WL-1)", () => {
    expect(transactions({})).toEqual(transactions({}));
    expect(transactions({})).not.toEqual(transactions({ seed: "other" }));
  });

  it("writes each value once (WL-2)", () => {
    for (const kind of ["list", "register"] as const) {
      const ops = transactions({ kind }).flatMap((transaction) => transaction.ops);
      const values = ops.flatMap((op) => (op[0] === "append" || op[0] === "w" ? [op[2]] : []));
      expect(values.length).toBeGreaterThan(1000);
      expect(new Set(values).size).toBe(values.length);
    }
  });

  it("keeps to the mix, the length and the levels asked for", () => {
    const made = transactions({
      length: { min: 3, max: 5 },
      mix: { reads: 4, writes: 3, absentReads: 1, scans: 1, deletes: 1 },
      isolation: [
        [4, "serializable"],
        [1, "read-committed"],
      ],
    });
    expect(new Set(made.map(({ ops }) => ops.length))).toEqual(new Set([3, 4, 5]));
    const ops = made.flatMap((transaction) => transaction.ops);
    const share = (count: number, of: number): number => Math.round((10 * count) / of);
    const isAbsent = (key: unknown): boolean => String(key).startsWith("k/absent/");
    expect(share(ops.filter((op) => op[0] === "r" && !isAbsent(op[1])).length, ops.length)).toBe(4);
    expect(share(ops.filter((op) => op[0] === "r" && isAbsent(op[1])).length, ops.length)).toBe(1);
    expect(share(ops.filter((op) => op[0] === "append").length, ops.length)).toBe(3);
    expect(share(ops.filter((op) => op[0] === "scan").length, ops.length)).toBe(1);
    expect(share(ops.filter((op) => op[0] === "delete").length, ops.length)).toBe(1);
    expect(share(made.filter(({ isolation }) => isolation === "read-committed").length, made.length)).toBe(2);
  });

  it("takes a fresh key after as many writes as asked for, and has so many in use at a time", () => {
    const writes = new Map<unknown, number>();
    for (const { ops } of transactions({ keys: 4, writesPerKey: 8 })) {
      for (const op of ops) if (op[0] === "append") writes.set(op[1], (writes.get(op[1]) ?? 0) + 1);
    }
    expect(Math.max(...writes.values())).toBe(8);
    expect([...writes.values()].filter((count) => count < 8).length).toBeLessThanOrEqual(4);
  });
});

describe("Zipf's distribution", () => {
  it("gives rank i in proportion to 1 / (i + 1)^skew", () => {
    for (const skew of [0, 1, 1.5]) {
      const zipf = new Zipf(5, skew);
      const random = new Prng("zipf");
      const drawn = new Array<number>(5).fill(0);
      for (let draw = 0; draw < 50_000; draw++) drawn[zipf.draw(random)]!++;
      for (let rank = 1; rank < 5; rank++) {
        expect(drawn[0]! / drawn[rank]! / (rank + 1) ** skew).toBeCloseTo(1, 0);
      }
    }
  });

  it("refuses what is no distribution", () => {
    expect(() => new Zipf(0, 1)).toThrow(RangeError);
    expect(() => new Zipf(3, -1)).toThrow(RangeError);
  });
});

describe("a recorded history", () => {
  it("has each process do one thing at a time, several processes at once, and as many operations as asked for", async () => {
    let inFlight = 0;
    let most = 0;
    const history = await recordHistory(
      {
        async transact(_process, { ops }) {
          most = Math.max(most, ++inFlight);
          await null;
          inFlight--;
          return { outcome: "ok", ops };
        },
      },
      new Workload({ seed: 1 }),
      { transactions: 100, processes: 5 },
    );
    expect(history).toHaveLength(100);
    expect(most).toBe(5);
    for (let process = 0; process < 5; process++) {
      const own = history.filter((operation) => operation.process === process);
      for (const [at, operation] of own.entries()) {
        if (at > 0) expect(operation.invoke).toBeGreaterThan(own[at - 1]!.complete!);
      }
    }
  });

  it("ends early when told to, and with the error of the runner", async () => {
    const runner = { transact: async () => ({ outcome: "ok" as const, ops: [] }) };
    const options = { transactions: 100, processes: 2, onOperation: () => true };
    expect((await recordHistory(runner, new Workload({ seed: 1 }), options)).length).toBeLessThanOrEqual(2);
    const broken = { transact: () => Promise.reject(new Error("no store")) };
    await expect(recordHistory(broken, new Workload({ seed: 1 }), { transactions: 1 })).rejects.toThrow(
      "no store",
    );
  });
});
