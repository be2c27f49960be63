import { expect, test } from "vitest";
import { checkers } from "./checkers.ts";

test("the suite reads and checks what it generated, and finds it without fault", async () => {
  const { details: rows, rows: rates } = await checkers({ transactions: 2000, operations: 2000, rounds: 2 });
  expect(rates.map((row) => [row.case, row.rounds])).toEqual([
    ["list-append, strict-serializable", 2],
    ["registers, linearizable", 2],
  ]);
  expect(rows.map((row) => row.operations)).toEqual([2000, 2000]);
  for (const row of rows) expect(row["operations/s"]).toBeGreaterThan(0);
});
