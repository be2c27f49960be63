/** The suites of the embedded store and of failover run, each case with each of its subjects, and give rows as the README says. */
import { expect, test } from "vitest";
import { type BenchCase, compare } from "../compare.ts";
import { silent } from "../progress.ts";
import { jsonRow, type MeasuredRow } from "../report/row.ts";
import { durableCase } from "./durable.ts";
import { failover } from "./failover.ts";
import { growthCases } from "./growth.ts";
import { memoryOver } from "./memory.ts";

const FIGURES = ["ops_per_s", "p50_us", "p99_us", "rounds", "ratio_to_khonsu"] as const;

/** As JSON gives it back: the fields of the issue in their order, all figures finite and above zero. */
function expectWhole(rows: readonly MeasuredRow[]): void {
  for (const row of rows) {
    const read = JSON.parse(JSON.stringify(jsonRow(row)));
    expect(Object.keys(read)).toEqual(["suite", "case", "subject", ...FIGURES]);
    for (const figure of FIGURES) expect(read[figure], `${row.case}: ${figure}`).toBeGreaterThan(0);
    expect(row.ops_per_s_min).toBeLessThanOrEqual(row.ops_per_s);
    expect(row.ops_per_s_max).toBeGreaterThanOrEqual(row.ops_per_s);
  }
}

/** A row for each case and subject, none of them skipped. */
async function expectAllRun(suite: string, cases: readonly BenchCase[]): Promise<void> {
  const rows = await compare(cases, { suite, rounds: 1, progress: silent });
  const wanted = cases.flatMap((each) => each.subjects.map(({ name }) => `${each.name}: ${name}`));
  expect(rows.map((row) => `${row.case}: ${row.subject}`)).toEqual(wanted);
  expectWhole(rows);
}

test("growth: each case runs with a small and a large store", () =>
  expectAllRun("growth", growthCases(0.001, 10_000)));

test("durable: Khonsu, every peer and the limit commit, for one caller and for many", async () => {
  await expectAllRun("durable", [await durableCase(1, 10, 5), await durableCase(16, 32, 16)]);
});

test("memory: nothing of past commits is kept, and one version of a key for a snapshot", async () => {
  const { details } = await memoryOver(4_000, silent);
  expect(details).toHaveLength(20);
  const versions = (phase: string) =>
    details.filter((row) => row.phase === phase).map((row) => Number(row.versions));
  expect(new Set(versions("no snapshot open")).size).toBe(1);
  for (const kept of versions("one snapshot open")) expect(kept).toBeLessThanOrEqual(2 * 10_000);
  for (const row of details) expect(Number(row["heap MiB"])).toBeGreaterThan(0);
});

test("failover: a kill of the leader of each cluster that is there is a pause", async () => {
  const { rows, details } = await failover({ quick: true, kills: 1, progress: silent });
  expect(rows[0]?.subject).toBe("khonsu, three nodes");
  expect(rows).toHaveLength(details.length);
  expectWhole(rows);
  for (const row of details) {
    expect(row.kills).toBe(1);
    expect(Number(row["worst pause ms"])).toBeGreaterThan(0);
  }
});
