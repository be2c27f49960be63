import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HistoryError } from "./history-error.ts";
import { detectFormat, type Format, readHistory, writeHistory } from "./history-file.ts";
import type { MicroOp, Operation, Outcome } from "./operation.ts";

const read = (text: string, format?: Format): Promise<Operation[]> =>
  readHistory([text], { source: "h", ...(format === undefined ? {} : { format }) });

// As Elle's README and a Jepsen run show them.
const elleHistory = `; a comment
{:index 0, :time 3291485317, :type :invoke, :process 0, :f :txn, :value [[:r 9 nil] [:append 6 1]]}
{:index 1, :time 3296209422, :type :invoke, :process 1, :f :txn, :value [[:append 9 1] [:r 8 nil]]}
{:index 2, :time 3346265500, :type :info, :process :nemesis, :f :kill, :value {"n1" :killed}}
{:index 3, :time 3553733950, :type :fail, :process 0, :f :txn, :value [[:r 9 nil] [:append 6 1]], :error [:conflict "retry \\"later\\" }"]}
{:index 4, :time 3562941023, :type :ok, :process 1, :f :txn, :value [[:append 9 1] [:r 8 [3 4]]]}
#jepsen.history.Op{:index 5, :time 3600000000, :type :invoke, :process 0, :f :txn,
                   :value [[:r 9 nil]]}
{:index 6, :time 3600000001, :type :info, :process 0, :f :txn, :value [[:r 9 nil]], :error :timeout}
{:index 7, :time 3600000002, :type :invoke, :process 10, :f :txn, :value [[:append 8 5]]}`;

const elleOperations: Operation[] = [
  {
    process: 0,
    invoke: 3291485317,
    complete: 3553733950,
    outcome: "fail",
    ops: [
      ["r", 9],
      ["append", 6, 1],
    ],
  },
  {
    process: 1,
    invoke: 3296209422,
    complete: 3562941023,
    outcome: "ok",
    ops: [
      ["append", 9, 1],
      ["r", 8, [3, 4]],
    ],
  },
  { process: 0, invoke: 3600000000, complete: 3600000001, outcome: "unknown", ops: [["r", 9]] },
  { process: 10, invoke: 3600000002, outcome: "unknown", ops: [["append", 8, 5]] },
];

describe("histories of Jepsen and Elle", () => {
  it("are read from EDN, line by line or in a vector", async () => {
    expect(await read(elleHistory)).toEqual(elleOperations);
    expect(await read(`[${elleHistory}\n]`)).toEqual(elleOperations);
  });

  it("are read from JSON, line by line or in an array", async () => {
    const events = [
      {
        index: 0,
        type: "invoke",
        process: 0,
        f: "txn",
        value: [
          ["append", "x", 1],
          ["r", "x", null],
        ],
      },
      {
        index: 1,
        type: "ok",
        process: 0,
        f: "txn",
        value: [
          ["append", "x", 1],
          ["r", "x", [1]],
        ],
      },
    ];
    const expected = [
      {
        process: 0,
        invoke: 0,
        complete: 1,
        outcome: "ok",
        ops: [
          ["append", "x", 1],
          ["r", "x", [1]],
        ],
      },
    ];
    expect(await read(events.map((event) => JSON.stringify(event)).join("\n"))).toEqual(expected);
    expect(await read(JSON.stringify(events, undefined, 2))).toEqual(expected);
  });

  it("count by position when times are missing or stand still", async () => {
    const text = `{:process 0, :type :invoke, :f :read, :value nil, :time 5}
      {:process 1, :type :invoke, :f :write, :value 3, :time 5}
      {:process 0, :type :ok, :f :read, :value 3, :time 6}
      {:process 1, :type :ok, :f :write, :value 3, :time 7}`;
    expect(await read(text)).toEqual([
      { process: 0, invoke: 0, complete: 2, outcome: "ok", ops: [["r", "x", 3]] },
      { process: 1, invoke: 1, complete: 3, outcome: "ok", ops: [["w", "x", 3]] },
    ]);
  });

  const singles: [string, string, string, MicroOp[]][] = [
    [":read", "nil", "4", [["r", "x", 4]]],
    [":read", "[7 nil]", "[7 4]", [["r", 7, 4]]],
    [":write", "4", "4", [["w", "x", 4]]],
    [":write", "[7 4]", "[7 4]", [["w", 7, 4]]],
    [":cas", "[1 2]", "[1 2]", [["cas", "x", 1, 2]]],
    [":cas", "[7 [1 2]]", "[7 [1 2]]", [["cas", 7, 1, 2]]],
    [":add", "4", "4", [["add", "x", 4]]],
    [":read", "nil", "#{1 2}", [["r", "x", [1, 2]]]],
    [":read", "nil", "(1 2)", [["r", "x", [1, 2]]]],
    [
      ":read",
      "nil",
      "{0 10, 1 20}",
      [
        ["r", 0, 10],
        ["r", 1, 20],
      ],
    ],
    [":transfer", "{:from 0, :to 1, :amount 5}", "{:from 0, :to 1, :amount 5}", []],
  ];
  it.each(singles)("reads f %s of %s", async (f, invoked, completed, ops) => {
    const text = `{:process 0 :type :invoke :f ${f} :value ${invoked}}{:process 0 :type :ok :f ${f} :value ${completed}}`;
    expect((await read(text))[0]!.ops).toEqual(ops);
  });

  const faults: [string, string][] = [
    [
      "{:process 0, :type :ok, :f :txn, :value []}",
      "h:1: process 0 completes an operation that it did not invoke",
    ],
    [
      "{:process 0, :type :invoke, :f :txn, :value []}\n\n{:process 0, :type :invoke, :f :txn, :value []}",
      "h:3: process 0 invokes",
    ],
    [
      "{:process 0, :type :invoke, :f :txn, :value []}\n{:process 0, :type :done, :f :txn, :value []}",
      'h:2: "type" is invoke',
    ],
    [
      "{:process 0, :type :invoke, :f :enqueue, :value 1}\n{:process 0, :type :ok, :f :enqueue, :value 1}",
      'h:2: f "enqueue" is not known',
    ],
    [
      "{:process 0, :type :invoke, :f :txn, :value [[:push 1 2]]}\n{:process 0, :type :ok, :f :txn, :value [[:push 1 2]]}",
      'h:2: "push" is not',
    ],
    ["{:process 0, :type :invoke\n :f :txn", "h:1: what was opened here is never closed with }"],
    ["{:process 0, :type :invoke, :f :txn, :value [[:r 1 nil}}", "h:1: unexpected }: ] was expected"],
    ["{:a 1}\n]", "h:2: unexpected ]: nothing is open"],
    ["hello", "h:1: this is no history"],
  ];
  it.each(faults)("names the place and the fault: %s", async (text, message) => {
    await expect(read(text)).rejects.toThrow(HistoryError);
    await expect(read(text)).rejects.toThrow(message);
  });
});

describe("histories of Porcupine", () => {
  it("are read as Go writes them", async () => {
    const text = `[{"ClientId":0,"Input":{"Op":1,"Key":"a","Value":"v"},"Call":0,"Output":{"Value":""},"Return":10},
      {"ClientId":1,"Input":{"op":"get","key":"a"},"Call":5,"Output":{"value":"v"},"Return":12},
      {"ClientId":2,"Input":{"op":"get","key":"b"},"Call":5,"Output":{"value":""},"Return":12},
      {"ClientId":3,"Input":{"op":"put","key":"b","value":"w"},"Call":5,"Output":null}]`;
    expect(await read(text)).toEqual([
      { process: 0, invoke: 0, complete: 10, outcome: "ok", ops: [["w", "a", "v"]] },
      { process: 1, invoke: 5, complete: 12, outcome: "ok", ops: [["r", "a", "v"]] },
      { process: 2, invoke: 5, complete: 12, outcome: "ok", ops: [["r", "b", null]] },
      { process: 3, invoke: 5, outcome: "unknown", ops: [["w", "b", "w"]] },
    ]);
  });

  it("name item and fault", async () => {
    await expect(
      read('[{"ClientId":0,"Input":{"op":"append","key":"a"},"Call":0,"Return":1}]'),
    ).rejects.toThrow('h item 0: "op" is get, put or cas, not "append"');
  });
});

describe("the form of a history", () => {
  it.each([
    ['{"khonsuHistory":1}\n', "jsonl"],
    ['{"process":0,"ops":[]}\n', "jsonl"],
    ["", "jsonl"],
    ["{:process 0}", "edn"],
    ["#jepsen.history.Op{:index 0}", "edn"],
    ["[{:process 0}]", "edn"],
    ["({:process 0})", "edn"],
    ["; comment\n{:process 0}", "edn"],
    ['{"type":"invoke"}', "json"],
    ['[{"type":"invoke"}]', "json"],
    ['[ {"ClientId":0}]', "porcupine"],
  ] as const)("of %j is %s", (head, format) => {
    expect(detectFormat(head)).toBe(format);
  });
});

/** Histories in which every process does one thing at a time, and every event has a time of its own. */
const histories = (
  micros: fc.Arbitrary<MicroOp[]>,
  outcomes: readonly Outcome[],
): fc.Arbitrary<Operation[]> =>
  fc
    .array(
      fc.record({
        process: fc.nat(2),
        gap: fc.nat(3),
        length: fc.nat(3),
        outcome: fc.constantFrom(...outcomes),
        ops: micros,
      }),
      {
        maxLength: 8,
      },
    )
    .map((plans) => {
      const free = new Map<number, number>();
      return plans.map(({ process, gap, length, outcome, ops }) => {
        const invoke = (free.get(process) ?? 0) + gap;
        free.set(process, invoke + length);
        return {
          process,
          invoke,
          complete: invoke + length,
          outcome,
          ops: outcome === "ok" ? ops : ops.map(withoutResult),
        };
      });
    });

function withoutResult(op: MicroOp): MicroOp {
  return op[0] === "r" ? ["r", op[1]] : op;
}

/** The operations of a history by content, in any order. */
function contents(history: readonly Operation[]): string[] {
  return history.map(({ outcome, ops }) => JSON.stringify([outcome, ops])).sort();
}

describe("a history written and read again", () => {
  const value = fc.oneof(fc.integer(), fc.string(), fc.constant(null));
  const txn: fc.Arbitrary<MicroOp[]> = fc.array(
    fc.oneof(
      fc.tuple(fc.constant("append" as const), fc.string(), fc.integer()),
      fc.tuple(fc.constant("w" as const), fc.integer(), value),
      fc.tuple(fc.constant("r" as const), fc.string(), fc.oneof(value, fc.array(fc.integer()))),
    ),
    { minLength: 2, maxLength: 3 },
  );
  const register: fc.Arbitrary<MicroOp[]> = fc
    .oneof(
      fc.tuple(fc.constant("r" as const), fc.string(), fc.integer()),
      fc.tuple(fc.constant("w" as const), fc.string(), fc.integer()),
      fc.tuple(fc.constant("cas" as const), fc.string(), fc.integer(), fc.integer()),
    )
    .map((op) => [op]);
  const all: readonly Outcome[] = ["ok", "ok", "fail", "unknown"];

  it.each(["edn", "json"] as const)("says the same in %s", async (format) => {
    for (const micros of [txn, register]) {
      await fc.assert(
        fc.asyncProperty(histories(micros, all), async (history) => {
          const again = await read([...writeHistory(history, format)].join(""), format);
          expect(contents(again)).toEqual(contents(history));
          expectSameOverlaps(history, again);
        }),
      );
    }
  });

  it("says the same in Porcupine's form, apart from operations that failed", async () => {
    await fc.assert(
      fc.asyncProperty(histories(register, ["ok", "unknown"]), async (history) => {
        const again = await read([...writeHistory(history, "porcupine")].join(""), "porcupine");
        const results = (operation: Operation): unknown => ({
          ...operation,
          complete: operation.outcome === "ok" ? operation.complete : undefined,
          ops: operation.ops.map((op) => (op[0] === "cas" ? op.slice(0, 4) : op)),
        });
        expect(again.map(results)).toEqual(history.map(results));
      }),
    );
  });

  it("refuses what a form cannot say", () => {
    const scan: Operation = {
      process: 0,
      invoke: 0,
      complete: 1,
      outcome: "ok",
      ops: [
        ["scan", {}, []],
        ["append", "x", 1],
      ],
    };
    expect(() => [...writeHistory([scan], "edn")]).toThrow("T0 cannot be written for Jepsen");
    expect(() => [...writeHistory([scan], "porcupine")]).toThrow("T0 cannot be written for Porcupine");
  });
});

/** Every certain order of the first holds in the second, and what the second adds is between operations that touched, of one process. */
function expectSameOverlaps(history: readonly Operation[], again: readonly Operation[]): void {
  const count = (
    operations: readonly Operation[],
    isBefore: (a: Operation, b: Operation) => boolean,
  ): number =>
    operations.reduce((sum, a) => sum + operations.filter((b) => a !== b && isBefore(a, b)).length, 0);
  const strict = (a: Operation, b: Operation): boolean => a.outcome !== "unknown" && a.complete! < b.invoke;
  const touching = (a: Operation, b: Operation): boolean =>
    a.outcome !== "unknown" && a.complete! <= b.invoke;
  expect(count(again, strict)).toBeGreaterThanOrEqual(count(history, strict));
  expect(count(again, strict)).toBeLessThanOrEqual(count(history, touching));
}
