/** The demo of the embedded store: it holds over the real storage, and it notices one that does not keep what it promised. */
import { existsSync, readdirSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Report } from "../src/demo/report.ts";
import { TemporaryDirectory } from "../src/demo/temporary-directory.ts";
import { endKhonsuAt, runKhonsu, testPath } from "./run-khonsu.ts";

const SMALL = ["demo", "--embedded", "--rows", "3000", "--seconds", "0.3", "--workers", "8"];

test("--json prints the report and nothing else, and every check holds", async () => {
  const { status, stdout, stderr } = await runKhonsu(...SMALL, "--json");
  const report: Report = JSON.parse(stdout);
  expect(report.checks.filter(({ held }) => !held)).toEqual([]);
  expect(report.ok).toBe(true);
  expect(status).toBe(0);
  expect(stderr).toBe("");
  expect(report.load.totals.flights).toBe(3000);
  expect(report.traffic.commits).toBeGreaterThan(0);
  expect(report.crash.recovered).toBe(report.crash.acknowledged);
  expect(report.crash.acknowledged).toBeGreaterThan(0);
  expect(report.crews.map(({ broken }) => broken > 0)).toEqual([true, true, false]);
});

test("the report for people names what was checked", async () => {
  const { status, stdout } = await runKhonsu(...SMALL);
  expect(status).toBe(0);
  expect(stdout).toMatch(/Write skew +permitted +permitted +prevented/);
  expect(stdout).toMatch(/(\d+) of \1 checks held/);
  expect(stdout).not.toContain("FAILED");
});

test("a storage that acknowledges before it writes fails the demo", async () => {
  const { status, stdout } = await runKhonsu(...SMALL, "--storage", testPath("storages/forgetful.ts"));
  expect(stdout).toMatch(/FAILED +Every acknowledged commit is there/);
  expect(status).toBe(1);
});

test("a storage that writes commits in part fails the demo", async () => {
  const { status, stdout } = await runKhonsu(
    ...SMALL,
    "--storage",
    testPath("storages/tearing.ts"),
    "--json",
  );
  const report: Report = JSON.parse(stdout);
  const failed = report.checks.filter(({ held }) => !held).map(({ name }) => name);
  expect(failed).toContain("No commit is there in part");
  expect(failed).toContain("All flights and both checksums survived");
  expect(report.ok).toBe(false);
  expect(status).toBe(1);
});

test("a storage that fails ends the demo with its reason", async () => {
  const { status, stdout, stderr } = await runKhonsu(...SMALL, "--storage", testPath("storages/failing.ts"));
  expect(stdout).toBe("");
  expect(stderr).toContain("KHONSU_STORAGE_FAILED");
  expect(stderr).toContain("no space left on device");
  expect(status).toBe(1);
});

test("a store that is kept is used again, with what the crash left", async () => {
  using directory = new TemporaryDirectory("khonsu-demo-test-");
  const place = join(directory.path, "store");
  const first = await runKhonsu(...SMALL, "--dir", place, "--json");
  const second = await runKhonsu(...SMALL, "--dir", place, "--json");
  const reports: Report[] = [first, second].map(({ stdout }) => JSON.parse(stdout));
  expect(reports.map(({ ok }) => ok)).toEqual([true, true]);
  expect(reports.map(({ load }) => load.isReused)).toEqual([false, true]);
  expect(reports[1]?.load.totals).toEqual(reports[0]?.load.totals);
  const other = await runKhonsu("demo", "--embedded", "--rows", "2000", "--dir", place);
  expect(other.stderr).toContain("khonsu: Cannot load 2000 flights: the store holds 3000 of an earlier run");
  expect(other.status).toBe(1);
});

test.each([/^Rescheduling/, /^Killing/])("asked to end at %s, it leaves no store behind", async (line) => {
  using directory = new TemporaryDirectory("khonsu-demo-test-");
  const status = await endKhonsuAt(line, { TMPDIR: directory.path }, ...SMALL);
  expect(readdirSync(directory.path)).toEqual([]);
  expect(status).toBe(128 + constants.signals.SIGTERM);
});

test("a temporary directory is gone at the end of its scope", () => {
  let path: string;
  {
    using directory = new TemporaryDirectory("khonsu-demo-test-");
    path = directory.path;
    expect(readdirSync(path)).toEqual([]);
  }
  expect(existsSync(path)).toBe(false);
});
