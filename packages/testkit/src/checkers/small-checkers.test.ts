// Each small checker on a history that has the fault and on a near miss that has not (AN-21 to AN-26).
import { describe, expect, it } from "vitest";
import type { History, MicroOp, Outcome } from "../history/operation.ts";
import { checkBankTotal } from "./invariants/bank.ts";
import { checkLongFork } from "./invariants/long-fork.ts";
import { checkMonotonicWrites, checkWritesFollowReads } from "./sessions/others-reads.ts";
import { checkMonotonicReads, checkReadYourWrites } from "./sessions/own-reads.ts";
import type { CheckResult } from "./violation.ts";

type Row = readonly [process: number, ops: MicroOp[], outcome?: Outcome];

/** One transaction after the other. */
function historyOf(rows: readonly Row[]): History {
  return rows.map(([process, ops, outcome = "ok"], at) => ({
    process,
    invoke: at * 10,
    complete: at * 10 + 5,
    outcome,
    ops,
  }));
}

const bank = (history: History): CheckResult => checkBankTotal(history, { total: 100 });

const cases: { check: (history: History) => CheckResult; name: string; valid: boolean; rows: Row[] }[] = [
  {
    check: bank,
    name: "money appears",
    valid: false,
    rows: [
      [
        0,
        [
          ["r", "a", 60],
          ["r", "b", 50],
        ],
      ],
    ],
  },
  {
    check: bank,
    name: "a transfer seen whole",
    valid: true,
    rows: [
      [
        0,
        [
          ["r", "a", 60],
          ["r", "b", 40],
        ],
      ],
      [
        1,
        [
          ["r", "a", 100],
          ["r", "b", null],
        ],
      ],
    ],
  },
  {
    check: bank,
    name: "some accounts only",
    valid: true,
    rows: [
      [
        0,
        [
          ["r", "a", 60],
          ["r", "b", 40],
        ],
      ],
      [0, [["r", "a", 50]]],
    ],
  },
  {
    check: bank,
    name: "what an aborted transaction saw",
    valid: true,
    rows: [
      [
        0,
        [
          ["r", "a", 60],
          ["r", "b", 40],
        ],
      ],
      [
        0,
        [
          ["r", "a", 60],
          ["r", "b", 50],
        ],
        "fail",
      ],
    ],
  },
  {
    check: bank,
    name: "a balance below zero",
    valid: false,
    rows: [
      [
        0,
        [
          ["r", "a", -10],
          ["r", "b", 110],
        ],
      ],
    ],
  },
  {
    check: bank,
    name: "a scan with a wrong total",
    valid: false,
    rows: [
      [
        0,
        [
          [
            "scan",
            {},
            [
              ["a", 60],
              ["b", 41],
            ],
          ],
        ],
      ],
    ],
  },

  {
    check: checkLongFork,
    name: "two updates seen in opposite orders",
    valid: false,
    rows: [
      [0, [["w", "x", 1]]],
      [1, [["w", "y", 1]]],
      [
        2,
        [
          ["r", "x", 1],
          ["r", "y", null],
        ],
      ],
      [
        3,
        [
          ["r", "x", null],
          ["r", "y", 1],
        ],
      ],
    ],
  },
  {
    check: checkLongFork,
    name: "two updates seen in one order",
    valid: true,
    rows: [
      [0, [["w", "x", 1]]],
      [1, [["w", "y", 1]]],
      [
        2,
        [
          ["r", "x", null],
          ["r", "y", null],
        ],
      ],
      [
        2,
        [
          ["r", "x", 1],
          ["r", "y", null],
        ],
      ],
      [
        3,
        [
          ["r", "x", 1],
          ["r", "y", 1],
        ],
      ],
    ],
  },
  {
    check: checkLongFork,
    name: "lists seen in opposite orders",
    valid: false,
    rows: [
      [
        2,
        [
          ["r", "x", [1, 2]],
          ["r", "y", [3]],
        ],
      ],
      [
        3,
        [
          ["r", "x", [1]],
          ["r", "y", [3, 4]],
        ],
      ],
    ],
  },
  {
    check: checkLongFork,
    name: "lists seen growing",
    valid: true,
    rows: [
      [
        2,
        [
          ["r", "x", [1, 2]],
          ["r", "y", [3, 4]],
        ],
      ],
      [
        3,
        [
          ["r", "x", [1]],
          ["r", "y", [3, 4]],
        ],
      ],
      [
        3,
        [
          ["r", "x", [1]],
          ["r", "y", [3]],
        ],
      ],
    ],
  },

  {
    check: checkMonotonicReads,
    name: "a process goes back",
    valid: false,
    rows: [
      [0, [["r", "x", [1, 2]]]],
      [0, [["r", "x", [1]]]],
    ],
  },
  {
    check: checkMonotonicReads,
    name: "another process is behind",
    valid: true,
    rows: [
      [0, [["r", "x", [1, 2]]]],
      [1, [["r", "x", [1]]]],
    ],
  },
  {
    check: checkMonotonicReads,
    name: "a register goes back",
    valid: false,
    rows: [
      [0, [["w", "x", 1]]],
      [1, [["r", "x", 1]]],
      [1, [["r", "x", null]]],
    ],
  },
  {
    check: checkMonotonicReads,
    name: "a chain of registers goes back",
    valid: false,
    rows: [
      [0, [["cas", "x", null, 1]]],
      [
        0,
        [
          ["r", "x", 1],
          ["w", "x", 2],
        ],
      ],
      [1, [["r", "x", 2]]],
      [1, [["r", "x", 1]]],
    ],
  },
  {
    check: checkMonotonicReads,
    name: "a register is given a value again",
    valid: true,
    rows: [
      [0, [["cas", "x", null, 1]]],
      [0, [["cas", "x", 1, 2]]],
      [0, [["cas", "x", 2, 1]]],
      [1, [["r", "x", 2]]],
      [1, [["r", "x", 1]]],
    ],
  },
  {
    check: checkMonotonicReads,
    name: "a deleted list starts anew",
    valid: true,
    rows: [
      [0, [["r", "x", [1, 2]]]],
      [1, [["delete", "x"]]],
      [0, [["r", "x", [3]]]],
    ],
  },

  {
    check: checkReadYourWrites,
    name: "an own append is missing",
    valid: false,
    rows: [
      [1, [["append", "x", 1]]],
      [0, [["append", "x", 2]]],
      [0, [["r", "x", [1]]]],
      [1, [["r", "x", [1, 2]]]],
    ],
  },
  {
    check: checkReadYourWrites,
    name: "an own append that nobody ever sees",
    valid: false,
    rows: [
      [0, [["append", "x", 2]]],
      [0, [["r", "x", [1]]]],
    ],
  },
  {
    check: checkReadYourWrites,
    name: "an append of another is missing",
    valid: true,
    rows: [
      [0, [["append", "x", 2]]],
      [1, [["r", "x", [1]]]],
      [1, [["r", "x", [1, 2]]]],
    ],
  },
  {
    check: checkReadYourWrites,
    name: "an own append with unknown outcome is missing",
    valid: true,
    rows: [
      [0, [["append", "x", 2]], "unknown"],
      [0, [["r", "x", [1]]]],
    ],
  },
  {
    check: checkReadYourWrites,
    name: "an own write of a register is missing",
    valid: false,
    rows: [
      [0, [["w", "x", 1]]],
      [0, [["r", "x", null]]],
    ],
  },

  {
    check: checkMonotonicWrites,
    name: "two appends of a process in the wrong order",
    valid: false,
    rows: [
      [0, [["append", "x", 1]]],
      [0, [["append", "x", 2]]],
      [1, [["r", "x", [2, 1]]]],
    ],
  },
  {
    check: checkMonotonicWrites,
    name: "two appends of two processes in any order",
    valid: true,
    rows: [
      [0, [["append", "x", 1]]],
      [2, [["append", "x", 2]]],
      [1, [["r", "x", [2, 1]]]],
    ],
  },
  {
    check: checkMonotonicWrites,
    name: "the later write without the earlier one, in another key",
    valid: false,
    rows: [
      [0, [["append", "x", 1]]],
      [0, [["append", "y", 2]]],
      [
        1,
        [
          ["r", "y", [2]],
          ["r", "x", []],
        ],
      ],
      [1, [["r", "x", [1]]]],
    ],
  },
  {
    check: checkMonotonicWrites,
    name: "the earlier write without the later one",
    valid: true,
    rows: [
      [0, [["append", "x", 1]]],
      [0, [["append", "y", 2]]],
      [
        1,
        [
          ["r", "x", [1]],
          ["r", "y", []],
        ],
      ],
      [1, [["r", "y", [2]]]],
    ],
  },

  {
    check: checkWritesFollowReads,
    name: "an answer without the question",
    valid: false,
    rows: [
      [0, [["append", "q", 1]]],
      [1, [["r", "q", [1]]]],
      [1, [["append", "a", 2]]],
      [
        2,
        [
          ["r", "a", [2]],
          ["r", "q", []],
        ],
      ],
    ],
  },
  {
    check: checkWritesFollowReads,
    name: "the question without the answer",
    valid: true,
    rows: [
      [0, [["append", "q", 1]]],
      [1, [["r", "q", [1]]]],
      [1, [["append", "a", 2]]],
      [
        2,
        [
          ["r", "q", [1]],
          ["r", "a", []],
        ],
      ],
      [2, [["r", "a", [2]]]],
    ],
  },
  {
    check: checkWritesFollowReads,
    name: "reads that contradict each other, which are an incompatible order",
    valid: true,
    rows: [
      [1, [["r", "x", [1]]]],
      [1, [["append", "x", 2]]],
      [2, [["r", "x", [1]]]],
      [0, [["append", "x", 3]]],
      [2, [["r", "x", [2, 1]]]],
    ],
  },
];

describe("the small checkers", () => {
  for (const { check, name, valid, rows } of cases) {
    it(`${check.name === "bank" ? "checkBankTotal" : check.name} ${valid ? "allows" : "finds"}: ${name}`, () => {
      const result = check(historyOf(rows));
      expect(result.violations.map((violation) => violation.explanation)).toHaveLength(
        valid ? 0 : result.count,
      );
      expect(result.valid).toBe(valid);
    });
  }

  it("say what was seen", () => {
    const history = historyOf([
      [0, [["r", "x", [1, 2]]]],
      [0, [["r", "x", [1]]]],
    ]);
    expect(checkMonotonicReads(history).violations[0]!.explanation).toBe(
      [
        'Process 0 went back in "x": T1 saw an older version than T0 before.',
        "  T0 (process 0, 0 to 5): r x [1 2]",
        "  T1 (process 0, 10 to 15): r x [1]",
      ].join("\n"),
    );
  });

  it("say when they had nothing to judge", () => {
    const history = historyOf([[0, [["w", "x", 1]]]]);
    expect(checkMonotonicReads(history)).toMatchObject({ valid: true, judged: 0 });
    expect(bank(history)).toMatchObject({ valid: true, judged: 0 });
  });
});
