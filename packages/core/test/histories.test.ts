/** Random histories of many interleaved transactions, against a model and the graph of who depends on whom. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { IsolationLevel } from "../src/index.ts";
import { histories } from "./histories/action.ts";
import { HistoryRunner, type Totals } from "./histories/runner.ts";

const RUNS = Number(process.env.KHONSU_HISTORIES ?? 400);
const ALL: readonly IsolationLevel[] = ["read-committed", "repeatable-read", "serializable"];

test.each([
  { name: "serializable only", levels: ["serializable"] as const },
  { name: "all levels mixed", levels: ALL },
])(
  "$name: every value read, every commit and what is kept are as the model says",
  { timeout: 300_000 },
  async ({ levels }) => {
    const totals: Totals = { transactions: 0, committed: 0, serializationFailures: 0, conflicts: 0 };
    await fc.assert(
      fc.asyncProperty(histories(levels, 150), (commands) => HistoryRunner.run(commands, totals)),
      { numRuns: RUNS },
    );
    // The histories are worth something: all ends occur.
    for (const count of Object.values(totals)) expect(count).toBeGreaterThan(RUNS / 10);
  },
);
