// The search against brute force: try every order of every subset that contains all completed calls.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MicroOp, Operation, Value } from "../../history/operation.ts";
import { checkLinearizable } from "./linearizability.ts";
import { type Call, linearize } from "./search.ts";
import { registerModel, type SequentialModel, setModel } from "./sequential-model.ts";

/** Depth-first over all permutations, by the definition alone. */
function isLinearizableByForce<S>(history: readonly Operation[], model: SequentialModel<S>): boolean {
  const calls = history.filter((operation) => operation.outcome !== "fail");
  const end = (operation: Operation): number =>
    operation.outcome === "ok" ? operation.complete! : Number.POSITIVE_INFINITY;
  const extend = (left: readonly Operation[], state: S): boolean => {
    if (left.every((operation) => operation.outcome === "unknown")) return true;
    return left.some((next) => {
      if (left.some((other) => end(other) < next.invoke)) return false;
      const after = model.step(state, next.ops[0]!);
      return (
        after !== undefined &&
        extend(
          left.filter((other) => other !== next),
          after,
        )
      );
    });
  };
  return extend(calls, model.initial);
}

/** LN-1, checked on the witness itself. */
function expectWitness<S>(history: readonly Operation[], model: SequentialModel<S>): void {
  const calls: Call[] = history
    .map((operation, index) => ({ operation, index }))
    .filter(({ operation }) => operation.outcome !== "fail")
    .map(({ operation, index }) => ({
      index,
      op: operation.ops[0]!,
      invoke: operation.invoke,
      complete: operation.outcome === "ok" ? operation.complete! : Number.POSITIVE_INFINITY,
    }))
    .sort((a, b) => a.invoke - b.invoke);
  const found = linearize(calls, model, 1_000_000);
  if (found.kind !== "linearizable") return;
  const { order } = found;
  expect(new Set(order).size).toBe(order.length);
  for (const [call, { complete }] of calls.entries()) {
    if (complete !== Number.POSITIVE_INFINITY) expect(order).toContain(call);
  }
  let state = model.initial;
  let latestInvoke = Number.NEGATIVE_INFINITY;
  for (const call of order) {
    const after = model.step(state, calls[call]!.op);
    expect(after).not.toBe(undefined);
    state = after!;
    latestInvoke = Math.max(latestInvoke, calls[call]!.invoke);
    expect(calls[call]!.complete).toBeGreaterThanOrEqual(latestInvoke);
  }
}

function* tuples<T>(choices: readonly T[], length: number): Generator<T[]> {
  if (length === 0) yield [];
  else for (const rest of tuples(choices, length - 1)) for (const choice of choices) yield [...rest, choice];
}

describe("the search for a linearization", () => {
  it("agrees with brute force on every history of three register operations over two values", () => {
    const micros: MicroOp[] = [
      ["w", "x", 1],
      ["w", "x", 2],
      ["r", "x", null],
      ["r", "x", 1],
      ["r", "x", 2],
      ["cas", "x", 1, 2],
    ];
    const spans: [number, number][] = [];
    for (let from = 0; from < 4; from++) for (let to = from + 1; to < 5; to++) spans.push([from, to]);
    const model = registerModel();
    let histories = 0;
    let refuted = 0;
    for (const ops of tuples(micros, 3)) {
      for (const times of tuples(spans, 3)) {
        for (const outcome of ["ok", "unknown"] as const) {
          const history = ops.map(
            (micro, i): Operation => ({
              process: i,
              invoke: times[i]![0],
              complete: times[i]![1],
              outcome: i === 0 ? outcome : "ok",
              ops: [micro],
            }),
          );
          const expected = isLinearizableByForce(history, model);
          if (checkLinearizable(history).valid !== expected) expect(history).toBe(expected);
          histories++;
          if (!expected) refuted++;
        }
      }
    }
    expect(histories).toBe(6 ** 3 * 10 ** 3 * 2);
    expect(refuted).toBeGreaterThan(histories / 10);
    expect(refuted).toBeLessThan((histories * 9) / 10);
  });

  const value: fc.Arbitrary<Value> = fc.constantFrom(1, 2, 3, null);
  const written = fc.constantFrom(1, 2, 3);
  const registerOp: fc.Arbitrary<MicroOp> = fc.oneof(
    fc.tuple(fc.constant("w" as const), fc.constant("x"), written),
    fc.tuple(fc.constant("r" as const), fc.constant("x"), value),
    fc.tuple(fc.constant("cas" as const), fc.constant("x"), value, written, fc.boolean()),
    fc.tuple(fc.constant("delete" as const), fc.constant("x")),
  );
  const element = fc.constantFrom(1, 2);
  const setOp: fc.Arbitrary<MicroOp> = fc.oneof(
    fc.tuple(fc.constantFrom("add" as const, "remove" as const), fc.constant("x"), element),
    fc.tuple(fc.constant("contains" as const), fc.constant("x"), element, fc.boolean()),
    fc.tuple(fc.constant("r" as const), fc.constant("x"), fc.uniqueArray(element)),
  );
  const historyOf = (micro: fc.Arbitrary<MicroOp>, isWholeRead: boolean): fc.Arbitrary<Operation[]> =>
    fc.array(
      fc
        .record({
          process: fc.nat(3),
          invoke: fc.nat(12),
          length: fc.nat(6),
          outcome: fc.constantFrom(
            "ok" as const,
            "ok" as const,
            "ok" as const,
            "unknown" as const,
            "fail" as const,
          ),
          micro: isWholeRead ? micro : micro.filter((op) => op[0] !== "r"),
        })
        .map(({ process, invoke, length, outcome, micro: op }) => ({
          process,
          invoke,
          complete: invoke + length,
          outcome,
          ops: [op],
        })),
      { maxLength: 7 },
    );

  it("agrees with brute force on random register histories", () => {
    fc.assert(
      fc.property(historyOf(registerOp, true), (history) => {
        expect(checkLinearizable(history).valid).toBe(isLinearizableByForce(history, registerModel()));
        expectWitness(history, registerModel());
      }),
      { numRuns: 3000 },
    );
  });

  it("agrees with brute force on random set histories, whole or by element", () => {
    for (const isWholeRead of [true, false]) {
      fc.assert(
        fc.property(historyOf(setOp, isWholeRead), (history) => {
          expect(checkLinearizable(history).valid).toBe(isLinearizableByForce(history, setModel()));
          expectWitness(history, setModel());
        }),
        { numRuns: 2000 },
      );
    }
  });
});
