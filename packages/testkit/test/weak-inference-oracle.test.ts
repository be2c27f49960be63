// Where the version order cannot be recovered whole (registers, deletes) the checker must still be right in what it reports: whatever has
// a serial order by brute force is never blamed. How much it misses is counted, so that a change that makes it blind is seen.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkTransactions, type Model } from "../src/checkers/index.ts";
import type { Key, MicroOp, Observed, Operation, Value } from "../src/history/operation.ts";
import { type Before, hasSerialOrder, noOrder, realTime } from "./oracles/serial-order.ts";

type Step = "r" | "write" | "delete" | "scan" | "update";

interface Planned {
  readonly invoke: number;
  readonly length: number;
  readonly staleness: number;
  readonly steps: readonly (readonly [Step, Key])[];
}

/** Transactions that read from one of the last states and write to the newest. */
function weakHistory(plan: readonly Planned[], kind: "list" | "register"): Operation[] {
  const states = [new Map<Key, Observed>()];
  let value = 0;
  return plan.map(({ invoke, length, staleness, steps }, process) => {
    const own = new Map(states[Math.max(0, states.length - 1 - staleness)]!);
    const written = new Map(states.at(-1)!);
    const add = (state: Map<Key, Observed>, key: Key, element: Value): void => {
      state.set(
        key,
        kind === "register" ? element : [...((state.get(key) as Value[] | undefined) ?? []), element],
      );
    };
    const ops = steps.flatMap(([step, key]): MicroOp[] => {
      const read: MicroOp = ["r", key, own.get(key) ?? null];
      if (step === "r") return [read];
      if (step === "scan") return [["scan", {}, [...own].map(([at, held]) => [at, held] as const)]];
      if (step === "delete") {
        own.delete(key);
        written.delete(key);
        return [["delete", key]];
      }
      value++;
      add(own, key, value);
      add(written, key, value);
      const write: MicroOp = [kind === "register" ? "w" : "append", key, value];
      return step === "update" ? [read, write] : [write];
    });
    states.push(written);
    return { process, invoke, complete: invoke + length, outcome: "ok", ops };
  });
}

const plans = (steps: readonly Step[]): fc.Arbitrary<Planned[]> =>
  fc.array(
    fc.record({
      invoke: fc.nat(12),
      length: fc.nat(6),
      staleness: fc.constantFrom(0, 0, 1, 2),
      steps: fc.array(fc.tuple(fc.constantFrom(...steps), fc.constantFrom<Key>("x", "y")), {
        minLength: 1,
        maxLength: 3,
      }),
    }),
    { minLength: 2, maxLength: 6 },
  );

/** Of the histories without an order, the share that the checker finds; it must blame no history that has one. */
function shareFound(kind: "list" | "register", steps: readonly Step[], model: Model, before: Before): number {
  const seen = { impossible: 0, found: 0, possible: 0 };
  fc.assert(
    fc.property(plans(steps), (plan) => {
      const history = weakHistory(plan, kind);
      const result = checkTransactions(history, { model });
      if (hasSerialOrder(history, before)) {
        seen.possible++;
        expect(result.anomalies.filter((anomaly) => anomaly.isProscribed)).toEqual([]);
      } else {
        seen.impossible++;
        if (!result.valid) seen.found++;
      }
    }),
    { numRuns: 2000 },
  );
  expect(Math.min(seen.possible, seen.impossible)).toBeGreaterThan(50);
  return seen.found / seen.impossible;
}

describe("histories whose version order is known in part", () => {
  it("registers that are read before they are written: nearly all faults are found", () => {
    expect(shareFound("register", ["r", "update"], "serializable", noOrder)).toBeGreaterThan(0.95);
    expect(shareFound("register", ["r", "update"], "strict-serializable", realTime)).toBeGreaterThan(0.95);
  });

  it("registers with blind writes: most faults are found", () => {
    expect(shareFound("register", ["r", "write", "update"], "serializable", noOrder)).toBeGreaterThan(0.6);
    expect(shareFound("register", ["r", "write", "update"], "strict-serializable", realTime)).toBeGreaterThan(
      0.6,
    );
  });

  it("registers with deletes and scans: some faults are found", () => {
    expect(
      shareFound("register", ["r", "write", "delete", "scan"], "strict-serializable", realTime),
    ).toBeGreaterThan(0.3);
  });

  it("lists with scans: all faults are found", () => {
    expect(shareFound("list", ["r", "write", "scan"], "serializable", noOrder)).toBe(1);
    expect(shareFound("list", ["r", "write", "scan"], "strict-serializable", realTime)).toBe(1);
  });

  it("lists with deletes: some faults are found", () => {
    expect(
      shareFound("list", ["r", "write", "delete", "scan"], "strict-serializable", realTime),
    ).toBeGreaterThan(0.3);
  });
});
