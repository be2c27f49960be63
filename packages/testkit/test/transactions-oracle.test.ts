// The transactional checker against brute force: all histories of small size, and random ones that are a little larger.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkTransactions } from "../src/checkers/index.ts";
import type { Model } from "../src/checkers/transactions/models.ts";
import type { Key, MicroOp, Operation, Outcome, Value } from "../src/history/operation.ts";
import {
  hasSerialOrder,
  hasSnapshotInterleaving,
  noOrder,
  realTime,
  sessions,
} from "./oracles/serial-order.ts";

type Shape = readonly (readonly ["append" | "r", Key])[];

const KEYS = ["x", "y"];
const STEPS: Shape = KEYS.flatMap((key) => [["append", key] as const, ["r", key] as const]);
const SHAPES: readonly Shape[] = [
  ...STEPS.map((step) => [step]),
  ...STEPS.flatMap((first) => STEPS.map((second) => [first, second])),
];

/** All lists of distinct elements. */
function orderedSubsets(elements: readonly Value[]): Value[][] {
  return [
    [],
    ...elements.flatMap((element) =>
      orderedSubsets(elements.filter((other) => other !== element)).map((rest) => [element, ...rest]),
    ),
  ];
}

/** Every history of these shapes: elements are numbered, reads may have seen any list of elements of the key. */
function* histories(shapes: readonly Shape[]): Generator<MicroOp[][]> {
  let element = 0;
  const elements = new Map<Key, Value[]>(KEYS.map((key) => [key, []]));
  const steps = shapes.flatMap((shape, transaction) =>
    shape.map(([name, key]) => {
      if (name === "r") return { transaction, key, element: undefined };
      element++;
      elements.get(key)!.push(element);
      return { transaction, key, element };
    }),
  );
  const seen = new Map(KEYS.map((key) => [key as Key, orderedSubsets(elements.get(key)!)]));
  const fill = function* (at: number, made: MicroOp[][]): Generator<MicroOp[][]> {
    const step = steps[at];
    if (step === undefined) {
      yield made;
      return;
    }
    const choices: MicroOp[] =
      step.element === undefined
        ? seen.get(step.key)!.map((list) => ["r", step.key, list])
        : [["append", step.key, step.element]];
    for (const choice of choices) {
      yield* fill(
        at + 1,
        made.map((ops, transaction) => (transaction === step.transaction ? [...ops, choice] : ops)),
      );
    }
  };
  yield* fill(
    0,
    shapes.map(() => []),
  );
}

function concurrent(made: readonly MicroOp[][]): Operation[] {
  return made.map((ops, process) => ({ process, invoke: 0, complete: 1, outcome: "ok", ops }));
}

function expectSame(history: readonly Operation[], model: Model, expected: boolean): void {
  const result = checkTransactions(history, { model });
  if (result.valid !== expected) {
    throw new Error(
      `${model}: checker says ${result.valid}, brute force ${expected}\n${JSON.stringify(history)}\n${result.anomalies.map((a) => `${a.kind}: ${a.explanation}`).join("\n")}`,
    );
  }
}

describe("lists, exhaustively", () => {
  it("agrees on every history of two transactions of up to two steps on two keys, in any order of time", () => {
    const spans = [
      [0, 1, 0, 1],
      [0, 1, 2, 3],
      [2, 3, 0, 1],
    ] as const;
    let count = 0;
    let impossible = 0;
    for (const first of SHAPES) {
      for (const second of SHAPES) {
        for (const made of histories([first, second])) {
          expectSame(concurrent(made), "serializable", hasSerialOrder(concurrent(made), noOrder));
          expectSame(concurrent(made), "snapshot-isolation", hasSnapshotInterleaving(concurrent(made)));
          for (const [a, b, c, d] of spans) {
            const history: Operation[] = [
              { process: 0, invoke: a, complete: b, outcome: "ok", ops: made[0]! },
              { process: 1, invoke: c, complete: d, outcome: "ok", ops: made[1]! },
            ];
            const expected = hasSerialOrder(history, realTime);
            expectSame(history, "strict-serializable", expected);
            count++;
            if (!expected) impossible++;
          }
        }
      }
    }
    expect(count).toBeGreaterThan(3000);
    expect(impossible).toBeGreaterThan(count / 10);
  });

  it("agrees on every history of three transactions of up to two steps on two keys", () => {
    let count = 0;
    let impossible = 0;
    for (const [a, first] of SHAPES.entries()) {
      for (const [b, second] of SHAPES.entries()) {
        if (b < a) continue;
        for (const third of SHAPES.slice(b)) {
          for (const made of histories([first, second, third])) {
            const history = concurrent(made);
            const expected = hasSerialOrder(history, noOrder);
            expectSame(history, "serializable", expected);
            if (count % 8 === 0) {
              expectSame(history, "snapshot-isolation", expected || hasSnapshotInterleaving(history));
            }
            count++;
            if (!expected) impossible++;
          }
        }
      }
    }
    expect({ count, impossible }).toEqual({ count: 131_048, impossible: 125_358 });
  });
});

/** Transactions that read from one of the states so far and write to the newest: some histories are serial, many are not. */
function weakHistory(plan: readonly Planned[]): Operation[] {
  const states = [new Map<Key, Value[]>()];
  let element = 0;
  return plan.map(({ process, invoke, length, outcome, staleness, steps }) => {
    const newest = states.at(-1)!;
    const own = new Map(states[Math.max(0, states.length - 1 - staleness)]!);
    const written = new Map(newest);
    const ops = steps.map(({ key, isRead }): MicroOp => {
      if (isRead) return ["r", key, own.get(key) ?? []];
      element++;
      own.set(key, [...(own.get(key) ?? []), element]);
      written.set(key, [...(written.get(key) ?? []), element]);
      return ["append", key, element];
    });
    if (outcome === "ok" || (outcome === "unknown" && staleness === 0)) states.push(written);
    return { process, invoke, complete: invoke + length, outcome, ops };
  });
}

interface Planned {
  readonly process: number;
  readonly invoke: number;
  readonly length: number;
  readonly outcome: Outcome;
  readonly staleness: number;
  readonly steps: readonly { readonly key: Key; readonly isRead: boolean }[];
}

const planned = (outcomes: readonly Outcome[], staleness: readonly number[]): fc.Arbitrary<Planned[]> =>
  fc.array(
    fc.record({
      process: fc.nat(2),
      invoke: fc.nat(12),
      length: fc.nat(6),
      outcome: fc.constantFrom(...outcomes),
      staleness: fc.constantFrom(...staleness),
      steps: fc.array(fc.record({ key: fc.constantFrom<Key>("x", "y"), isRead: fc.boolean() }), {
        minLength: 2,
        maxLength: 4,
      }),
    }),
    { minLength: 3, maxLength: 6 },
  );

/** One process after the other, so that sessions are sequential. */
function sequential(history: readonly Operation[]): Operation[] {
  const free = new Map<number, number>();
  return history.map((operation) => {
    const invoke = Math.max(operation.invoke, free.get(operation.process) ?? 0);
    const complete = invoke + (operation.complete! - operation.invoke);
    free.set(operation.process, complete + 1);
    return { ...operation, invoke, complete };
  });
}

describe("lists, at random", () => {
  const verdicts = (
    model: Model,
    oracle: (history: readonly Operation[]) => boolean,
    outcomes: readonly Outcome[],
    staleness: readonly number[],
  ) => {
    const seen = { possible: 0, impossible: 0 };
    fc.assert(
      fc.property(planned(outcomes, staleness), (plan) => {
        const history = sequential(weakHistory(plan));
        const expected = oracle(history);
        expectSame(history, model, expected);
        seen[expected ? "possible" : "impossible"]++;
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(seen.possible, seen.impossible)).toBeGreaterThan(100);
  };
  const mixed: readonly Outcome[] = ["ok", "ok", "ok", "unknown", "fail"];

  it("agrees on serializability", () => {
    verdicts("serializable", (history) => hasSerialOrder(history, noOrder), mixed, [0, 0, 1, 2, 3]);
  });
  it("agrees on strict serializability", () => {
    verdicts("strict-serializable", (history) => hasSerialOrder(history, realTime), mixed, [0, 0, 0, 0, 1]);
  });
  it("agrees on serializability with sessions", () => {
    verdicts(
      "strong-session-serializable",
      (history) => hasSerialOrder(history, sessions),
      mixed,
      [0, 0, 1, 2, 3],
    );
  });
  it("is right about snapshot isolation, and misses nothing when a last read shows all appends", () => {
    const seen = { possible: 0, impossible: 0, missed: 0 };
    fc.assert(
      fc.property(planned(["ok"], [0, 0, 1]), (plan) => {
        const history = weakHistory(plan);
        const isPossible = hasSnapshotInterleaving(history);
        if (isPossible) expectSame(history, "snapshot-isolation", true);
        else if (checkTransactions(history, { model: "snapshot-isolation" }).valid) seen.missed++;

        const whole = [...history, lastRead(history)];
        const expected = hasSnapshotInterleaving(whole);
        expectSame(whole, "snapshot-isolation", expected);
        seen[expected ? "possible" : "impossible"]++;
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(seen.possible, seen.impossible)).toBeGreaterThan(100);
    expect(seen.missed).toBeGreaterThan(0);
  });
});

/** A read of both keys that shows every append, in the order of the history. */
function lastRead(history: readonly Operation[]): Operation {
  const appended = (key: Key): Value[] =>
    history.flatMap(({ ops }) => ops.flatMap((op) => (op[0] === "append" && op[1] === key ? [op[2]] : [])));
  const ops: MicroOp[] = [
    ["r", "x", appended("x")],
    ["r", "y", appended("y")],
  ];
  return { process: 9, invoke: 99, complete: 99, outcome: "ok", ops };
}
