// For every anomaly a history that has it and a near miss that has not. The ids are those of docs/spec/anomalies.md.
import { describe, expect, it } from "vitest";
import { type AnomalyKind, checkTransactions, type Model } from "../src/checkers/index.ts";
import type { MicroOp, Operation, Outcome } from "../src/history/operation.ts";

interface Row {
  readonly ops: MicroOp[];
  readonly outcome?: Outcome;
  readonly process?: number;
  /** Invocation and completion; all at once if left out. */
  readonly at?: readonly [number, number];
}

function historyOf(rows: readonly Row[]): Operation[] {
  return rows.map(({ ops, outcome = "ok", process, at = [0, 100] }, index) => ({
    process: process ?? index,
    invoke: at[0],
    complete: at[1],
    outcome,
    ops,
  }));
}

function kindsOf(rows: readonly Row[]): AnomalyKind[] {
  return checkTransactions(historyOf(rows)).anomalies.map((anomaly) => anomaly.kind);
}

interface Case {
  readonly id: string;
  readonly kind: AnomalyKind;
  readonly name: string;
  readonly has: readonly Row[];
  readonly nearMiss: readonly Row[];
}

const cases: Case[] = [
  {
    id: "AN-1",
    kind: "internal",
    name: "an own append is not there / is there",
    has: [
      {
        ops: [
          ["append", "x", 1],
          ["r", "x", []],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["append", "x", 1],
          ["r", "x", [1]],
        ],
      },
    ],
  },
  {
    id: "AN-1",
    kind: "internal",
    name: "an own append is not at the end / is",
    has: [
      { ops: [["append", "x", 2]] },
      {
        ops: [
          ["append", "x", 1],
          ["r", "x", [1, 2]],
        ],
      },
    ],
    nearMiss: [
      { ops: [["append", "x", 2]] },
      {
        ops: [
          ["append", "x", 1],
          ["r", "x", [2, 1]],
        ],
      },
    ],
  },
  {
    id: "AN-1",
    kind: "internal",
    name: "an own append is read before / after it was made",
    has: [
      {
        ops: [
          ["r", "x", [1]],
          ["append", "x", 1],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["r", "x", null],
          ["append", "x", 1],
          ["r", "x", [1]],
        ],
      },
    ],
  },
  {
    id: "AN-1",
    kind: "internal",
    name: "an own write of a register is not / is read",
    has: [
      { ops: [["w", "x", 2]] },
      {
        ops: [
          ["w", "x", 1],
          ["r", "x", 2],
        ],
      },
    ],
    nearMiss: [
      { ops: [["w", "x", 2]] },
      {
        ops: [
          ["w", "x", 1],
          ["r", "x", 1],
        ],
      },
    ],
  },
  {
    id: "AN-1",
    kind: "internal",
    name: "an own write of a register is read before / after it",
    has: [
      {
        ops: [
          ["r", "x", 1],
          ["w", "x", 1],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["r", "x", null],
          ["w", "x", 1],
        ],
      },
    ],
  },
  {
    id: "AN-1",
    kind: "internal",
    name: "a scan misses / shows an own append",
    has: [
      {
        ops: [
          ["append", "a/1", 1],
          ["scan", { prefix: "a/" }, []],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["append", "a/1", 1],
          ["scan", { prefix: "a/" }, [["a/1", [1]]]],
        ],
      },
    ],
  },
  {
    id: "AN-1",
    kind: "internal",
    name: "what was deleted is there / what came after is",
    has: [
      { ops: [["append", "x", 1]] },
      {
        ops: [
          ["delete", "x"],
          ["append", "x", 2],
          ["r", "x", [1, 2]],
        ],
      },
    ],
    nearMiss: [
      { ops: [["append", "x", 1]] },
      {
        ops: [
          ["delete", "x"],
          ["append", "x", 2],
          ["r", "x", [2]],
        ],
      },
    ],
  },
  {
    id: "AN-2",
    kind: "non-repeatable-read",
    name: "a list grows between two reads / only by own appends",
    has: [
      { ops: [["append", "x", 1]] },
      {
        ops: [
          ["r", "x", []],
          ["r", "x", [1]],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["r", "x", []],
          ["append", "x", 1],
          ["r", "x", [1]],
        ],
      },
    ],
  },
  {
    id: "AN-2",
    kind: "non-repeatable-read",
    name: "a register changes between two reads / does not",
    has: [
      { ops: [["w", "x", 1]] },
      {
        ops: [
          ["r", "x", null],
          ["r", "x", 1],
        ],
      },
    ],
    nearMiss: [
      { ops: [["w", "x", 1]] },
      {
        ops: [
          ["r", "x", 1],
          ["r", "x", 1],
        ],
      },
    ],
  },
  {
    id: "AN-3",
    kind: "G1a",
    name: "an append of a failed / an unknown transaction is read",
    has: [{ ops: [["append", "x", 1]], outcome: "fail" }, { ops: [["r", "x", [1]]] }],
    nearMiss: [{ ops: [["append", "x", 1]], outcome: "unknown" }, { ops: [["r", "x", [1]]] }],
  },
  {
    id: "AN-3",
    kind: "G1a",
    name: "a write of a failed / an unknown transaction is read",
    has: [{ ops: [["w", "x", 1]], outcome: "fail" }, { ops: [["r", "x", 1]] }],
    nearMiss: [{ ops: [["w", "x", 1]], outcome: "unknown" }, { ops: [["r", "x", 1]] }],
  },
  {
    id: "AN-3",
    kind: "G1a",
    name: "a failed append is read / was retried with success",
    has: [
      { ops: [["append", "x", 1]], outcome: "fail" },
      { ops: [["append", "x", 2]] },
      { ops: [["r", "x", [1, 2]]] },
    ],
    nearMiss: [
      { ops: [["append", "x", 1]], outcome: "fail" },
      { ops: [["append", "x", 1]] },
      { ops: [["r", "x", [1]]] },
    ],
  },
  {
    id: "AN-4",
    kind: "G1b",
    name: "the first / the last of two appends is the last that is read",
    has: [
      {
        ops: [
          ["append", "x", 1],
          ["append", "x", 2],
        ],
      },
      { ops: [["r", "x", [1]]] },
    ],
    nearMiss: [
      {
        ops: [
          ["append", "x", 1],
          ["append", "x", 2],
        ],
      },
      { ops: [["r", "x", [1, 2]]] },
    ],
  },
  {
    id: "AN-4",
    kind: "G1b",
    name: "the first / the last of two writes is read",
    has: [
      {
        ops: [
          ["w", "x", 1],
          ["w", "x", 2],
        ],
      },
      { ops: [["r", "x", 1]] },
    ],
    nearMiss: [
      {
        ops: [
          ["w", "x", 1],
          ["w", "x", 2],
        ],
      },
      { ops: [["r", "x", 2]] },
    ],
  },
  {
    id: "AN-5",
    kind: "lost-update",
    name: "two append to what both had read / the second had read the first",
    has: [
      {
        ops: [
          ["r", "x", []],
          ["append", "x", 1],
        ],
      },
      {
        ops: [
          ["r", "x", []],
          ["append", "x", 2],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["r", "x", []],
          ["append", "x", 1],
        ],
      },
      {
        ops: [
          ["r", "x", [1]],
          ["append", "x", 2],
        ],
      },
    ],
  },
  {
    id: "AN-5",
    kind: "lost-update",
    name: "two overwrite what both had read / one of them did not read",
    has: [
      {
        ops: [
          ["r", "x", null],
          ["w", "x", 1],
        ],
      },
      {
        ops: [
          ["r", "x", null],
          ["w", "x", 2],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["r", "x", null],
          ["w", "x", 1],
        ],
      },
      { ops: [["w", "x", 2]] },
    ],
  },
  {
    id: "AN-5",
    kind: "lost-update",
    name: "two compare-and-sets of one value succeed / one is refused",
    has: [{ ops: [["cas", "x", null, 1]] }, { ops: [["cas", "x", null, 2]] }],
    nearMiss: [{ ops: [["cas", "x", null, 1]] }, { ops: [["cas", "x", null, 2, false]] }],
  },
  {
    id: "AN-6",
    kind: "concurrent-update",
    name: "two append and then see no other append / one of them does not look",
    has: [
      {
        ops: [
          ["append", "x", 1],
          ["r", "x", [1]],
        ],
      },
      {
        ops: [
          ["append", "x", 2],
          ["r", "x", [2]],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["append", "x", 1],
          ["r", "x", [1]],
        ],
      },
      { ops: [["append", "x", 2]] },
    ],
  },
  {
    id: "AN-7",
    kind: "phantom-value",
    name: "an element that nobody / somebody appended",
    has: [{ ops: [["r", "x", [9]]] }],
    nearMiss: [{ ops: [["r", "x", [9]]] }, { ops: [["append", "x", 9]] }],
  },
  {
    id: "AN-7",
    kind: "phantom-value",
    name: "a value that nobody wrote / the initial one",
    has: [{ ops: [["r", "x", 9]] }],
    nearMiss: [{ ops: [["r", "x", null]] }, { ops: [["w", "x", 1]] }],
  },
  {
    id: "AN-8",
    kind: "incompatible-order",
    name: "two reads of which neither / one begins with the other",
    has: [
      { ops: [["append", "x", 1]] },
      { ops: [["append", "x", 2]] },
      { ops: [["r", "x", [1]]] },
      { ops: [["r", "x", [2]]] },
    ],
    nearMiss: [
      { ops: [["append", "x", 1]] },
      { ops: [["append", "x", 2]] },
      { ops: [["r", "x", [1]]] },
      { ops: [["r", "x", [1, 2]]] },
    ],
  },
  {
    id: "AN-8",
    kind: "incompatible-order",
    name: "two appends of one transaction stand reversed / in order",
    has: [
      {
        ops: [
          ["append", "x", 1],
          ["append", "x", 2],
        ],
      },
      { ops: [["r", "x", [2, 1]]] },
    ],
    nearMiss: [
      {
        ops: [
          ["append", "x", 1],
          ["append", "x", 2],
        ],
      },
      { ops: [["r", "x", [1, 2]]] },
    ],
  },
  {
    id: "AN-8",
    kind: "incompatible-order",
    name: "reads of a list disagree / it was deleted between them",
    has: [
      { ops: [["append", "x", 1]] },
      { ops: [["append", "x", 2]] },
      { ops: [["r", "x", [1]]] },
      { ops: [["r", "x", [2]]] },
    ],
    nearMiss: [
      { ops: [["append", "x", 1]] },
      {
        ops: [
          ["delete", "x"],
          ["append", "x", 2],
        ],
      },
      { ops: [["r", "x", [1]]] },
      { ops: [["r", "x", [2]]] },
    ],
  },
  {
    id: "AN-9",
    kind: "duplicate-elements",
    name: "an element stands twice / once",
    has: [{ ops: [["append", "x", 1]] }, { ops: [["r", "x", [1, 1]]] }],
    nearMiss: [{ ops: [["append", "x", 1]] }, { ops: [["r", "x", [1]]] }],
  },
  {
    id: "AN-10",
    kind: "G0",
    name: "two transactions appended to two keys in opposite orders / in one order",
    has: [
      {
        ops: [
          ["append", "x", 1],
          ["append", "y", 1],
        ],
      },
      {
        ops: [
          ["append", "x", 2],
          ["append", "y", 2],
        ],
      },
      {
        ops: [
          ["r", "x", [1, 2]],
          ["r", "y", [2, 1]],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["append", "x", 1],
          ["append", "y", 1],
        ],
      },
      {
        ops: [
          ["append", "x", 2],
          ["append", "y", 2],
        ],
      },
      {
        ops: [
          ["r", "x", [1, 2]],
          ["r", "y", [1, 2]],
        ],
      },
    ],
  },
  {
    id: "AN-10",
    kind: "G0",
    name: "appends to one key are interleaved / one after the other",
    has: [
      {
        ops: [
          ["append", "x", 1],
          ["append", "x", 3],
        ],
      },
      { ops: [["append", "x", 2]] },
      { ops: [["r", "x", [1, 2, 3]]] },
    ],
    nearMiss: [
      {
        ops: [
          ["append", "x", 1],
          ["append", "x", 3],
        ],
      },
      { ops: [["append", "x", 2]] },
      { ops: [["r", "x", [1, 3, 2]]] },
    ],
  },
  {
    id: "AN-11",
    kind: "G1c",
    name: "two transactions read each other / only one the other",
    has: [
      {
        ops: [
          ["append", "x", 1],
          ["r", "y", [2]],
        ],
      },
      {
        ops: [
          ["append", "y", 2],
          ["r", "x", [1]],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["append", "x", 1],
          ["r", "y", [2]],
        ],
      },
      {
        ops: [
          ["append", "y", 2],
          ["r", "x", []],
        ],
      },
    ],
  },
  {
    id: "AN-11",
    kind: "G1c",
    name: "two transactions read each other's registers / only one the other's",
    has: [
      {
        ops: [
          ["w", "x", 1],
          ["r", "y", 2],
        ],
      },
      {
        ops: [
          ["w", "y", 2],
          ["r", "x", 1],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["w", "x", 1],
          ["r", "y", 2],
        ],
      },
      {
        ops: [
          ["w", "y", 2],
          ["r", "x", null],
        ],
      },
    ],
  },
  {
    id: "AN-12",
    kind: "G-single",
    name: "half of a transaction is seen / all of it",
    has: [
      {
        ops: [
          ["append", "x", 1],
          ["append", "y", 2],
        ],
      },
      {
        ops: [
          ["r", "x", []],
          ["r", "y", [2]],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["append", "x", 1],
          ["append", "y", 2],
        ],
      },
      {
        ops: [
          ["r", "x", [1]],
          ["r", "y", [2]],
        ],
      },
    ],
  },
  {
    id: "AN-12",
    kind: "G-single",
    name: "half of a transaction is seen in registers / all of it",
    has: [
      {
        ops: [
          ["w", "x", 1],
          ["w", "y", 2],
        ],
      },
      {
        ops: [
          ["r", "x", null],
          ["r", "y", 2],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["w", "x", 1],
          ["w", "y", 2],
        ],
      },
      {
        ops: [
          ["r", "x", 1],
          ["r", "y", 2],
        ],
      },
    ],
  },
  {
    id: "AN-12",
    kind: "G-single",
    name: "a scan misses / shows half of a transaction",
    has: [
      {
        ops: [
          ["append", "a/1", 1],
          ["append", "y", 2],
        ],
      },
      {
        ops: [
          ["scan", { prefix: "a/" }, []],
          ["r", "y", [2]],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["append", "a/1", 1],
          ["append", "y", 2],
        ],
      },
      {
        ops: [
          ["scan", { prefix: "a/" }, [["a/1", [1]]]],
          ["r", "y", [2]],
        ],
      },
    ],
  },
  {
    id: "AN-12",
    kind: "G-single",
    name: "a scanned range does / does not cover the key that is missing",
    has: [
      {
        ops: [
          ["append", "a/1", 1],
          ["append", "y", 2],
        ],
      },
      {
        ops: [
          ["scan", { from: "a/1", to: "b" }, []],
          ["r", "y", [2]],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["append", "a/1", 1],
          ["append", "y", 2],
        ],
      },
      {
        ops: [
          ["scan", { from: "a/2", to: "b" }, []],
          ["r", "y", [2]],
        ],
      },
    ],
  },
  {
    id: "AN-13",
    kind: "G-nonadjacent",
    name: "two readers see two appends in opposite orders / in one order (long fork)",
    has: [
      { ops: [["append", "x", 1]] },
      { ops: [["append", "y", 2]] },
      {
        ops: [
          ["r", "x", [1]],
          ["r", "y", []],
        ],
      },
      {
        ops: [
          ["r", "x", []],
          ["r", "y", [2]],
        ],
      },
    ],
    nearMiss: [
      { ops: [["append", "x", 1]] },
      { ops: [["append", "y", 2]] },
      {
        ops: [
          ["r", "x", [1]],
          ["r", "y", []],
        ],
      },
      {
        ops: [
          ["r", "x", [1]],
          ["r", "y", [2]],
        ],
      },
    ],
  },
  {
    id: "AN-14",
    kind: "G2-item",
    name: "two transactions miss each other's append / only one the other's (write skew)",
    has: [
      {
        ops: [
          ["r", "x", []],
          ["append", "y", 1],
        ],
      },
      {
        ops: [
          ["r", "y", []],
          ["append", "x", 2],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["r", "x", []],
          ["append", "y", 1],
        ],
      },
      {
        ops: [
          ["r", "y", [1]],
          ["append", "x", 2],
        ],
      },
    ],
  },
  {
    id: "AN-14",
    kind: "G2-item",
    name: "write skew in registers / one after the other",
    has: [
      {
        ops: [
          ["r", "x", null],
          ["w", "y", 1],
        ],
      },
      {
        ops: [
          ["r", "y", null],
          ["w", "x", 2],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["r", "x", null],
          ["w", "y", 1],
        ],
      },
      {
        ops: [
          ["r", "y", 1],
          ["w", "x", 2],
        ],
      },
    ],
  },
  {
    id: "AN-14",
    kind: "G2-item",
    name: "a read-only transaction completes the circle / sees both (Fekete, O'Neil, O'Neil 2004)",
    has: [
      {
        ops: [
          ["r", "x", []],
          ["r", "y", []],
          ["append", "x", 1],
        ],
      },
      {
        ops: [
          ["r", "y", []],
          ["append", "y", 2],
        ],
      },
      {
        ops: [
          ["r", "x", []],
          ["r", "y", [2]],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["r", "x", []],
          ["r", "y", []],
          ["append", "x", 1],
        ],
      },
      {
        ops: [
          ["r", "y", []],
          ["append", "y", 2],
        ],
      },
      {
        ops: [
          ["r", "x", [1]],
          ["r", "y", [2]],
        ],
      },
    ],
  },
  {
    id: "AN-15",
    kind: "G2",
    name: "two transactions miss each other's key in a scan / only one the other's",
    has: [
      {
        ops: [
          ["scan", { prefix: "a/" }, []],
          ["append", "b/1", 1],
        ],
      },
      {
        ops: [
          ["scan", { prefix: "b/" }, []],
          ["append", "a/1", 2],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["scan", { prefix: "a/" }, []],
          ["append", "b/1", 1],
        ],
      },
      {
        ops: [
          ["scan", { prefix: "b/" }, [["b/1", [1]]]],
          ["append", "a/1", 2],
        ],
      },
    ],
  },
  {
    id: "AN-15",
    kind: "G2",
    name: "the same with registers",
    has: [
      {
        ops: [
          ["scan", {}, []],
          ["w", "b", 1],
        ],
      },
      {
        ops: [
          ["scan", {}, []],
          ["w", "a", 2],
        ],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["scan", {}, []],
          ["w", "b", 1],
        ],
      },
      {
        ops: [
          ["scan", {}, [["b", 1]]],
          ["w", "a", 2],
        ],
      },
    ],
  },
  {
    id: "AN-16",
    kind: "G-single-realtime",
    name: "a register is read that was overwritten before / meanwhile",
    has: [
      { ops: [["w", "x", 1]], at: [0, 1] },
      { ops: [["w", "x", 2]], at: [2, 3] },
      { ops: [["r", "x", 1]], at: [4, 5] },
    ],
    nearMiss: [
      { ops: [["w", "x", 1]], at: [0, 1] },
      { ops: [["w", "x", 2]], at: [2, 4] },
      { ops: [["r", "x", 1]], at: [4, 5] },
    ],
  },
  {
    id: "AN-16",
    kind: "G-single-realtime",
    name: "a register seen in place by a reader, and overwritten, is read again / before the overwrite is complete",
    has: [
      { ops: [["w", "x", 1]], at: [0, 100] },
      { ops: [["r", "x", 1]], at: [1, 2] },
      { ops: [["w", "x", 2]], at: [3, 4] },
      { ops: [["r", "x", 1]], at: [5, 6] },
    ],
    nearMiss: [
      { ops: [["w", "x", 1]], at: [0, 100] },
      { ops: [["r", "x", 1]], at: [1, 2] },
      { ops: [["w", "x", 2]], at: [3, 7] },
      { ops: [["r", "x", 1]], at: [5, 6] },
    ],
  },
  {
    id: "AN-16",
    kind: "G-single-realtime",
    name: "a write with outcome ok / unknown is missing later",
    has: [
      { ops: [["append", "x", 1]], at: [0, 1] },
      { ops: [["r", "x", []]], at: [2, 3] },
      { ops: [["r", "x", [1]]], at: [4, 5] },
    ],
    nearMiss: [
      { ops: [["append", "x", 1]], at: [0, 1], outcome: "unknown" },
      { ops: [["r", "x", []]], at: [2, 3] },
      { ops: [["r", "x", [1]]], at: [4, 5] },
    ],
  },
  {
    id: "AN-16",
    kind: "G-single-realtime",
    name: "of two that miss each other, one was complete before the other was invoked / at the same instant",
    has: [
      {
        ops: [
          ["r", "x", []],
          ["append", "y", 1],
        ],
        at: [0, 49],
      },
      {
        ops: [
          ["r", "y", []],
          ["append", "x", 2],
        ],
        at: [50, 100],
      },
    ],
    nearMiss: [
      {
        ops: [
          ["r", "x", []],
          ["append", "y", 1],
        ],
        at: [0, 50],
      },
      {
        ops: [
          ["r", "y", []],
          ["append", "x", 2],
        ],
        at: [50, 100],
      },
    ],
  },
];

// Cycles that only an order from outside closes: from the first of the two transactions named to the second.
const ordered: {
  kind: "G0" | "G1c" | "G-single" | "G-nonadjacent" | "G2-item" | "G2";
  first: number;
  second: number;
  ops: MicroOp[][];
}[] = [
  {
    kind: "G0",
    first: 1,
    second: 0,
    ops: [[["append", "x", 1]], [["append", "x", 2]], [["r", "x", [1, 2]]]],
  },
  { kind: "G1c", first: 1, second: 0, ops: [[["append", "x", 1]], [["r", "x", [1]]]] },
  { kind: "G-single", first: 0, second: 1, ops: [[["append", "x", 1]], [["r", "x", []]]] },
  {
    kind: "G-nonadjacent",
    first: 1,
    second: 2,
    ops: [
      [
        ["r", "x", []],
        ["r", "y", [2]],
      ],
      [["append", "x", 1]],
      [["r", "y", []]],
      [["append", "y", 2]],
    ],
  },
  {
    kind: "G2-item",
    first: 2,
    second: 0,
    ops: [
      [["r", "x", []]],
      [
        ["append", "x", 1],
        ["r", "y", []],
      ],
      [["append", "y", 2]],
    ],
  },
  {
    kind: "G2",
    first: 2,
    second: 0,
    ops: [
      [["scan", { prefix: "x" }, []]],
      [
        ["append", "x", 1],
        ["r", "y", []],
      ],
      [["append", "y", 2]],
    ],
  },
];

for (const { kind, first, second, ops } of ordered) {
  const rows = (at: (index: number) => Omit<Row, "ops">): Row[] =>
    ops.map((own, index) => ({ ops: own, ...at(index) }));
  cases.push({
    id: "AN-16",
    kind: `${kind}-realtime`,
    name: "one completes before the other is invoked / at the same instant",
    has: rows((index) => (index === first ? { at: [0, 49] } : index === second ? { at: [50, 100] } : {})),
    nearMiss: rows((index) =>
      index === first ? { at: [0, 50] } : index === second ? { at: [50, 100] } : {},
    ),
  });
  cases.push({
    id: "AN-16",
    kind: `${kind}-process`,
    name: "one process / two processes do one and then the other",
    has: rows((index) =>
      index === first ? { at: [0, 50], process: 9 } : index === second ? { at: [50, 100], process: 9 } : {},
    ),
    nearMiss: rows((index) =>
      index === first ? { at: [0, 50], process: 9 } : index === second ? { at: [50, 100], process: 8 } : {},
    ),
  });
}

describe("every anomaly and its near miss", () => {
  for (const { id, kind, name, has, nearMiss } of cases) {
    it(`${id} ${kind}: ${name}`, () => {
      expect(kindsOf(has)).toContain(kind);
      expect(kindsOf(nearMiss)).not.toContain(kind);
    });
  }

  it("covers every kind that there is", () => {
    const kinds = new Set(cases.map((one) => one.kind));
    const cycles = ["G0", "G1c", "G-single", "G-nonadjacent", "G2-item", "G2"];
    const expected = [
      ...["internal", "non-repeatable-read", "G1a", "G1b", "lost-update", "concurrent-update"],
      ...["phantom-value", "incompatible-order", "duplicate-elements"],
      ...cycles.flatMap((kind) => [kind, `${kind}-process`, `${kind}-realtime`]),
    ];
    expect([...kinds].sort()).toEqual(expected.sort());
  });
});

describe("the models", () => {
  const skew: Row[] = [
    {
      ops: [
        ["r", "x", []],
        ["append", "y", 1],
      ],
    },
    {
      ops: [
        ["r", "y", []],
        ["append", "x", 2],
      ],
    },
  ];
  const stale: Row[] = [
    { ops: [["append", "x", 1]], at: [0, 1] },
    { ops: [["r", "x", []]], at: [2, 3] },
  ];
  const skewed: Row[] = [
    {
      ops: [
        ["append", "x", 1],
        ["append", "y", 2],
      ],
    },
    {
      ops: [
        ["r", "x", []],
        ["r", "y", [2]],
      ],
    },
  ];
  const dirty: Row[] = [{ ops: [["append", "x", 1]], outcome: "fail" }, { ops: [["r", "x", [1]]] }];

  it.each<[string, Row[], Model[]]>([
    [
      "write skew",
      skew,
      [
        "read-uncommitted",
        "read-committed",
        "cursor-stability",
        "snapshot-isolation",
        "strong-session-snapshot-isolation",
        "strong-snapshot-isolation",
      ],
    ],
    [
      "a stale read",
      stale,
      [
        "read-uncommitted",
        "read-committed",
        "cursor-stability",
        "snapshot-isolation",
        "serializable",
        "strong-session-snapshot-isolation",
        "strong-session-serializable",
      ],
    ],
    ["read skew", skewed, ["read-uncommitted", "read-committed", "cursor-stability"]],
    ["a dirty read", dirty, ["read-uncommitted"]],
  ])("that %s does not rule out", (_, rows, models) => {
    expect(checkTransactions(historyOf(rows)).notRuledOut).toEqual(models);
  });
});

describe("the search for cycles", () => {
  it("reports the shortest cycle of a kind", () => {
    // Write skew over five keys in a ring, and a shorter one over three others.
    const ring = (prefix: string, size: number): Row[] =>
      Array.from({ length: size }, (_, at) => ({
        ops: [
          ["r", `${prefix}${at}`, []],
          ["append", `${prefix}${(at + 1) % size}`, at],
        ],
      }));
    const result = checkTransactions(historyOf([...ring("a", 5), ...ring("b", 3)]));
    expect(result.anomalies.map(({ kind, transactions }) => [kind, transactions.length])).toEqual([
      ["G2-item", 3],
    ]);
  });

  it("says that it gave up, and still knows that there is a cycle", () => {
    const ring: Row[] = Array.from({ length: 50 }, (_, at) => ({
      ops: [
        ["r", `k${at}`, []],
        ["append", `k${(at + 1) % 50}`, at],
      ],
    }));
    const result = checkTransactions(historyOf(ring), { stepsMax: 10 });
    expect(result.givenUp).toContain("G2-item");
    expect(result.valid).toBe(false);
    expect(result.anomalies[0]).toMatchObject({ kind: "G2-item", isProscribed: true });
  });

  it("finds its way through many unread appends in linear space", () => {
    // Everybody reads the empty list and appends; nobody ever sees an append.
    const size = 2000;
    const rows: Row[] = Array.from({ length: size }, (_, at) => ({
      ops: [
        ["r", "x", []],
        ["append", "x", at],
      ],
    }));
    const result = checkTransactions(historyOf(rows), { model: "serializable", stepsMax: 1_000_000 });
    expect(result.graph.edges).toBeLessThan(10 * size);
    expect(result.anomalies.map((anomaly) => anomaly.kind)).toEqual(["lost-update", "G2-item"]);
  });
});

describe("histories that cannot be judged", () => {
  it.each<[string, Row[], string]>([
    [
      "an element appended twice",
      [{ ops: [["append", "x", 1]] }, { ops: [["append", "x", 1]] }],
      "T0 and T1 both append 1",
    ],
    [
      "a key that is list and register",
      [{ ops: [["append", "x", 1]] }, { ops: [["w", "x", 1]] }],
      'T1 uses "x" as a list',
    ],
    [
      "a list read as a register",
      [{ ops: [["append", "x", 1]] }, { ops: [["r", "x", 1]] }],
      "T1 reads 1 from the list",
    ],
    [
      "a register read as a list",
      [{ ops: [["w", "x", 1]] }, { ops: [["r", "x", [1]]] }],
      "T1 reads a list from the register",
    ],
    ["a set", [{ ops: [["add", "x", 1]] }], "sets are judged for linearizability only"],
    [
      "a process that does two things at a time",
      [
        { ops: [["append", "x", 1]], process: 1, at: [0, 10] },
        { ops: [["append", "x", 2]], process: 1, at: [5, 15] },
      ],
      "process 1 invoked T1 before its T0 completed",
    ],
  ])("%s", (_, rows, message) => {
    expect(() => checkTransactions(historyOf(rows))).toThrow(message);
  });
});
