/** Real processes that join, leave and lose their disks under load, by way of the command line where people would use it. */
import { expect, test } from "vitest";
import { runKhonsu } from "../run-khonsu.ts";
import { runUnderLoad } from "./load-run.ts";

test("a node joins, one loses its disk, one is removed: clients see one history", async () => {
  const report = await runUnderLoad({ seed: "members", clients: 2 }, async (cluster) => {
    await cluster.join();
    const joined = await cluster.untilSettled();
    expect(joined.flatMap(({ shards }) => shards.filter(({ here }) => here !== null))).toHaveLength(4 * 3);

    const wiped = cluster.nodes[1]!;
    await wiped.end("SIGKILL");
    await wiped.wipe();
    await wiped.start().serves;
    await cluster.untilSettled();

    const [leaving, ...others] = cluster.nodes;
    const addresses = others.flatMap(({ address }) => ["--address", address]);
    const removed = await runKhonsu("members", "remove", String(leaving!.node), ...addresses);
    expect(removed.stderr).toContain(`node ${leaving!.node} is gone`);
    expect(removed.status).toBe(0);
    await cluster.leave(leaving!);
    const settled = await cluster.untilSettled();
    expect(settled[0]!.members.find(({ node }) => node === leaving!.node)?.state ?? "gone").toBe("gone");
  });
  expect(report.violations).toEqual([]);
  expect(report.outcomes.lists.ok).toBeGreaterThan(5);
  expect(report.outcomes.bank.ok).toBeGreaterThan(5);
});
