// Hand-made histories: each row has the fault or is the near miss that has not (AN-30 in docs/spec/anomalies.md).
import { describe, expect, it } from "vitest";
import type { MicroOp, Operation, Outcome } from "../../history/operation.ts";
import { checkLinearizable } from "./linearizability.ts";

const op = (
  process: number,
  invoke: number,
  complete: number,
  micro: MicroOp,
  outcome: Outcome = "ok",
): Operation => ({ process, invoke, complete, outcome, ops: [micro] });

const histories: { name: string; valid: boolean; history: Operation[] }[] = [
  {
    name: "a read after a write sees the old value",
    valid: false,
    history: [op(0, 0, 1, ["w", "x", 1]), op(1, 2, 3, ["r", "x", null])],
  },
  {
    name: "a read beside a write may see the old value",
    valid: true,
    history: [op(0, 0, 3, ["w", "x", 1]), op(1, 2, 4, ["r", "x", null])],
  },
  {
    name: "calls that touch at one instant count as concurrent",
    valid: true,
    history: [op(0, 0, 2, ["w", "x", 1]), op(1, 2, 4, ["r", "x", null])],
  },
  {
    name: "new value, then the old one again",
    valid: false,
    history: [op(0, 0, 9, ["w", "x", 1]), op(1, 1, 2, ["r", "x", 1]), op(2, 3, 4, ["r", "x", null])],
  },
  {
    name: "old value, then the new one",
    valid: true,
    history: [op(0, 0, 9, ["w", "x", 1]), op(1, 1, 2, ["r", "x", null]), op(2, 3, 4, ["r", "x", 1])],
  },
  {
    name: "a write with unknown outcome shows long after its invocation",
    valid: true,
    history: [
      op(0, 0, 1, ["w", "x", 1], "unknown"),
      op(1, 2, 3, ["r", "x", null]),
      op(1, 10, 11, ["r", "x", 1]),
    ],
  },
  {
    name: "a write with unknown outcome shows and is gone again",
    valid: false,
    history: [
      op(0, 0, 1, ["w", "x", 1], "unknown"),
      op(1, 2, 3, ["r", "x", 1]),
      op(1, 10, 11, ["r", "x", null]),
    ],
  },
  {
    name: "a failed write shows",
    valid: false,
    history: [op(0, 0, 1, ["w", "x", 1], "fail"), op(1, 2, 3, ["r", "x", 1])],
  },
  {
    name: "a value from nowhere",
    valid: false,
    history: [op(1, 2, 3, ["r", "x", 7])],
  },
  {
    name: "two compare-and-sets from one value succeed",
    valid: false,
    history: [op(0, 0, 5, ["cas", "x", null, 1]), op(1, 0, 5, ["cas", "x", null, 2])],
  },
  {
    name: "one of two compare-and-sets is refused",
    valid: true,
    history: [op(0, 0, 5, ["cas", "x", null, 1]), op(1, 0, 5, ["cas", "x", null, 2, false])],
  },
  {
    name: "a compare-and-set is refused though the value was there all the time",
    valid: false,
    history: [op(0, 0, 1, ["cas", "x", null, 1]), op(1, 2, 5, ["cas", "x", 1, 2, false])],
  },
  {
    name: "a refusal explained by a write with unknown outcome that nobody read",
    valid: true,
    history: [op(0, 0, 1, ["w", "x", 5], "unknown"), op(1, 2, 5, ["cas", "x", null, 2, false])],
  },
  {
    name: "a deleted register still has its value",
    valid: false,
    history: [op(0, 0, 1, ["w", "x", 1]), op(0, 2, 3, ["delete", "x"]), op(1, 4, 5, ["r", "x", 1])],
  },
  {
    name: "a deleted register is null",
    valid: true,
    history: [op(0, 0, 1, ["w", "x", 1]), op(0, 2, 3, ["delete", "x"]), op(1, 4, 5, ["r", "x", null])],
  },
  {
    name: "a delete that changes nothing now is needed later",
    valid: true,
    history: [
      op(0, 0, 0, ["cas", "x", null, 1]),
      op(1, 0, 0, ["delete", "x"]),
      op(2, 1, 1, ["cas", "x", null, 1]),
    ],
  },
  {
    name: "a removal that changes nothing now is needed later",
    valid: true,
    history: [
      op(0, 0, 0, ["add", "s", 1]),
      op(1, 0, 0, ["remove", "s", 1]),
      op(2, 1, 1, ["contains", "s", 1, false]),
    ],
  },
  {
    name: "keys are objects of their own",
    valid: true,
    history: [op(0, 0, 1, ["w", "x", 1]), op(1, 2, 3, ["r", "y", null]), op(1, 4, 5, ["r", 1, null])],
  },
  {
    name: "an added element is missing",
    valid: false,
    history: [op(0, 0, 1, ["add", "s", 1]), op(1, 2, 3, ["contains", "s", 1, false])],
  },
  {
    name: "an element is removed beside the question",
    valid: true,
    history: [
      op(0, 0, 1, ["add", "s", 1]),
      op(1, 2, 5, ["contains", "s", 1, false]),
      op(0, 4, 6, ["remove", "s", 1]),
    ],
  },
  {
    name: "a whole read misses an element",
    valid: false,
    history: [op(0, 0, 1, ["add", "s", 1]), op(0, 2, 3, ["add", "s", 2]), op(1, 4, 5, ["r", "s", [2]])],
  },
  {
    name: "a whole read in another order",
    valid: true,
    history: [op(0, 0, 1, ["add", "s", 1]), op(0, 2, 3, ["add", "s", 2]), op(1, 4, 5, ["r", "s", [2, 1]])],
  },
  {
    name: "a whole read with an element twice",
    valid: false,
    history: [op(0, 0, 1, ["add", "s", 1]), op(1, 4, 5, ["r", "s", [1, 1]])],
  },
  {
    name: "two whole reads beside two adds disagree on which came first",
    valid: false,
    history: [
      op(0, 0, 9, ["add", "s", 1]),
      op(1, 0, 9, ["add", "s", 2]),
      op(2, 1, 2, ["r", "s", [1]]),
      op(2, 3, 4, ["r", "s", [2]]),
    ],
  },
];

describe("checkLinearizable", () => {
  for (const { name, valid, history } of histories) {
    it(`${valid ? "accepts" : "refutes"}: ${name}`, () => {
      expect(checkLinearizable(history).valid).toBe(valid);
    });
  }

  it("says which operation fits nowhere, and why", () => {
    const failure = checkLinearizable(histories[0]!.history).failures[0]!;
    expect(failure.blocked).toBe(1);
    expect(failure.longest).toEqual([0]);
    expect(failure.explanation).toBe(
      [
        'No order of the operations on register "x" explains what they returned.',
        "The longest order that does has 1 operation and ends with T0 (process 0, 0 to 1): w x 1; the register then holds 1.",
        'T1 (process 1, 2 to 3) had to take effect by 3, and "r x null" is not possible there.',
        "No other operation was in flight that could have come between.",
      ].join("\n"),
    );
  });

  it("starts registers from the given value", () => {
    const history = [op(0, 0, 1, ["r", "x", 0])];
    expect(checkLinearizable(history).valid).toBe(false);
    expect(checkLinearizable(history, { initial: 0 }).valid).toBe(true);
  });

  it("gives up after the configurations allowed, and says so", () => {
    const writes = Array.from({ length: 12 }, (_, i) => op(i, 0, 100, ["w", "x", i]));
    const result = checkLinearizable([...writes, op(20, 101, 102, ["r", "x", "none"])], {
      configurationsMax: 100,
    });
    expect(result.valid).toBe("unknown");
    expect(result.undecided).toEqual(["x"]);
  });

  it("refuses operations that it cannot judge", () => {
    const two: Operation = {
      process: 0,
      invoke: 0,
      complete: 1,
      outcome: "ok",
      ops: [
        ["r", "x", 1],
        ["r", "y", 1],
      ],
    };
    expect(() => checkLinearizable([two])).toThrow(/T0 for linearizability/);
    expect(() => checkLinearizable([op(0, 0, 1, ["append", "x", 1])])).toThrow(TypeError);
    expect(() => checkLinearizable([op(0, 0, 1, ["w", "x", 1]), op(0, 2, 3, ["add", "x", 1])])).toThrow(
      /both/,
    );
  });
});
