import { expect, test } from "vitest";
import { silent } from "../progress.ts";
import { paxos } from "./paxos.ts";

test("three replicas decide every proposal, at four messages a batch", () => {
  const rows = paxos({ quick: true, progress: silent });
  expect(rows.length).toBe(6);
  for (const row of rows) {
    expect(row["decided/s"]).toBeGreaterThan(0);
    expect(Number(row["messages/entry"]) * Number(row.batch)).toBeCloseTo(4, 0);
  }
});
