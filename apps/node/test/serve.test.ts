/** `khonsu serve` as its users run it: one line when it serves, a status, and a status of 0 once it was asked to stop. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ProcessCluster } from "./processes/process-cluster.ts";
import { runKhonsu } from "./run-khonsu.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "khonsu-serve-"));
});
afterAll(() => rm(directory, { recursive: true }));

test("a process serves, tells its status and its metrics, and ends with status 0 when asked to", async () => {
  const cluster = await ProcessCluster.open(1);
  try {
    const [node] = cluster.nodes;
    const [status] = await cluster.until(({ ready }) => ready);
    expect(status).toMatchObject({ format: 1, node: 1, members: [{ node: 1, link: "self" }], problems: [] });
    expect(status!.shards.map(({ here }) => here?.role)).toEqual(["leader", "leader", "leader", "leader"]);
    const metrics = await (await fetch(`http://${node!.address}/metrics`)).text();
    expect(metrics).toContain('khonsu_ready{node="1"} 1');
    expect(metrics).toMatch(/khonsu_disk_sync_seconds_count\{node="1"\} [1-9]/);
    expect(metrics).toContain("process_cpu_seconds_total");
    expect(await node!.end("SIGTERM")).toBe(0);
    await node!.start().serves;
  } finally {
    await cluster.close();
  }
});

test("a configuration that cannot be is refused with its path, and so is a setting that there is not", async () => {
  const data = join(directory, "data");
  const wrong = await runKhonsu(
    "serve",
    "--node",
    "0",
    "--data",
    data,
    "--set",
    "cluster=c",
    "--join",
    "a:1",
  );
  expect(wrong).toMatchObject({ status: 1, stdout: "" });
  expect(wrong.stderr).toContain("KHONSU_CONFIG_INVALID");
  expect(wrong.stderr).toContain("node: ");
  const unknown = await runKhonsu("serve", "--set", "lisen.port=1");
  expect(unknown.stderr).toContain('Cannot set "lisen.port=1"');
});

test("a second node on the same directory, or the same port, says what is taken", async () => {
  const cluster = await ProcessCluster.open(1);
  try {
    const [node] = cluster.nodes;
    const again = await runKhonsu("serve", "--config", node!.config);
    expect(again.status).toBe(1);
    expect(again.stderr).toContain("KHONSU_STORAGE_LOCKED");
    const elsewhere = join(directory, "elsewhere");
    const port = await runKhonsu("serve", "--config", node!.config, "--data", elsewhere);
    expect(port.status).toBe(1);
    expect(port.stderr).toContain("KHONSU_LISTEN_FAILED");
  } finally {
    await cluster.close();
  }
});
