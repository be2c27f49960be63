import { expect, test } from "vitest";
import { compare } from "../compare.ts";
import { sharesOf } from "../cpu-shares.ts";
import { silent } from "../progress.ts";
import { arrowCases } from "./arrow.ts";

test("every operation runs on small and on larger batches", async () => {
  const rows = await compare(arrowCases([1, 100], 0.001), { suite: "arrow", rounds: 1, progress: silent });
  expect(new Set(rows.map((row) => row.case)).size).toBe(9);
  for (const row of rows) expect(row.ops_per_s).toBeGreaterThan(0);
});

test("samples count to the part in which they were taken, or to that of the caller", () => {
  const frame = (functionName: string, url: string) => ({
    functionName,
    url,
    scriptId: "0",
    lineNumber: 0,
    columnNumber: 0,
  });
  const profile = {
    startTime: 0,
    endTime: 0,
    nodes: [
      { id: 1, callFrame: frame("(root)", ""), children: [2, 4, 5] },
      { id: 2, callFrame: frame("commit", "a.ts"), children: [3] },
      { id: 3, callFrame: frame("push", "") },
      { id: 4, callFrame: frame("(garbage collector)", "") },
      { id: 5, callFrame: frame("(idle)", "") },
    ],
    samples: [2, 3, 3, 4, 5, 5],
  };
  const shares = sharesOf(profile, (url) => (url === "a.ts" ? "store" : undefined));
  expect([...shares]).toEqual([
    ["store", 0.75],
    ["garbage collector", 0.25],
  ]);
});
