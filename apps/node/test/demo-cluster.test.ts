/** The demo on a cluster of processes: what it reports holds, and it leaves nothing behind however it ends. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { constants } from "node:os";
import { expect, test } from "vitest";
import type { ClusterReport } from "../src/demo/cluster/report.ts";
import { TemporaryDirectory } from "../src/demo/temporary-directory.ts";
import { endKhonsuAt, runKhonsu, runKhonsuWith } from "./run-khonsu.ts";

const SMALL = ["demo", "--rows", "3000", "--seconds", "0.9", "--workers", "4"];

/** Nodes that run with a configuration in the directory. */
function nodesOf({ path }: TemporaryDirectory): string[] {
  const processes = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
  return processes.split("\n").filter((line) => line.includes(" serve ") && line.includes(path));
}

test("--json prints the report and nothing else, every check holds, and nothing is left", async () => {
  using directory = new TemporaryDirectory("khonsu-demo-test-");
  const { status, stdout, stderr } = await runKhonsuWith(
    { env: { TMPDIR: directory.path } },
    ...SMALL,
    "--json",
  );
  expect(stderr).toBe("");
  const report: ClusterReport = JSON.parse(stdout);
  expect(report.checks.filter(({ held }) => !held)).toEqual([]);
  expect(status).toBe(0);
  expect(report).toMatchObject({ kind: "cluster", ok: true, cluster: { nodes: 3, replicas: 3 } });
  expect(report.load.totals.flights).toBe(3000);
  expect(report.failover.ledShards.length).toBeGreaterThan(0);
  expect(report.failover.commitsMeanwhile).toBeGreaterThan(0);
  expect(report.traffic.commits).toBeGreaterThan(report.failover.commitsMeanwhile);
  expect(report.traffic.crossShardCommits).toBeGreaterThan(0);
  expect(Object.keys(report.traffic.commitsByNode)).toEqual(["1", "2", "3"]);
  expect(report.checks.map(({ name }) => name)).toContain(
    "Through node 3: every acknowledged move is there, once",
  );
  expect(nodesOf(directory)).toEqual([]);
  expect(readdirSync(directory.path)).toEqual([]);
});

test("the report for people tells of the kill and of what was checked", async () => {
  const { status, stdout } = await runKhonsu(...SMALL);
  expect(stdout).toMatch(/Node \d, the leader of \d shards?, is killed with SIGKILL/);
  expect(stdout).toMatch(/Paused +[\d,]+ ms/);
  expect(stdout).toMatch(/(\d+) of \1 checks held/);
  expect(stdout).not.toContain("FAILED");
  expect(status).toBe(0);
});

test.each([/^Loading/, /^Killing/])("asked to end at %s, it leaves neither nodes nor data", async (line) => {
  using directory = new TemporaryDirectory("khonsu-demo-test-");
  const status = await endKhonsuAt(line, { TMPDIR: directory.path }, ...SMALL);
  await expect.poll(() => nodesOf(directory), { timeout: 20_000 }).toEqual([]);
  expect(readdirSync(directory.path)).toEqual([]);
  expect(status).toBe(128 + constants.signals.SIGTERM);
});

test.each(["--dir", "--storage"])("%s is refused without --embedded", async (option) => {
  const { status, stderr } = await runKhonsu(...SMALL, option, "somewhere");
  expect(stderr).toBe(`khonsu: Cannot use ${option} without --embedded\n`);
  expect(status).toBe(1);
});
