import { expect, test } from "vitest";
import { silent } from "../progress.ts";
import { paxos } from "./paxos.ts";

test("three replicas decide every proposal, at four messages a batch", async () => {
  const { rows, details } = await paxos({ quick: true, progress: silent });
  expect(rows.length).toBe(6);
  for (const row of rows) expect(row.ops_per_s).toBeGreaterThan(0);
  for (const row of details) {
    expect(Number(row["messages/entry"]) * Number(row.batch)).toBeCloseTo(4, 0);
  }
});
