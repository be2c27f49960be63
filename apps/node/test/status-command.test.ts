/** `khonsu status` against running nodes, and what it makes of statuses that nodes in trouble would give. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Answer } from "../src/client/status/fetch-status.ts";
import { shardViews } from "../src/client/status/shard-views.ts";
import { statusText } from "../src/client/status/status-text.ts";
import type { NodeStatus } from "../src/node/node-status.ts";
import { CALM } from "./node/calm.ts";
import { LocalCluster } from "./node/local-cluster.ts";
import { sampleStatus } from "./page/sample-status.ts";
import { runKhonsu } from "./run-khonsu.ts";

describe("of a running cluster", () => {
  let cluster: LocalCluster;
  beforeAll(async () => {
    cluster = await LocalCluster.open(3, CALM);
  });
  afterAll(() => cluster.close());

  test("tells nodes, shards, leaders and lag, with status 0 while all are ready and 1 otherwise", async () => {
    const address = cluster.node(2).address;
    const all = await runKhonsu("status", "--address", address);
    expect(all.stderr).toBe("");
    expect(all.stdout).toMatch(/^test-[\d-]+ {2}3 of 3 nodes ready, 4 shards, all well\n/);
    for (const { node, address } of [1, 2, 3].map((id) => cluster.node(id)))
      expect(all.stdout).toMatch(new RegExp(`│ +${node} │ ${address} +│ ready`));
    expect(all.stdout.match(/│ +[0-3] │ +[123] │ [123 ]+│.*well/g)).toHaveLength(4);
    expect(all.status).toBe(0);

    await cluster.stop(3);
    const some = await runKhonsu("status", "--address", `127.0.0.1:1,${address}`, "--json");
    const answers: Answer[] = JSON.parse(some.stdout);
    expect(answers.map(({ status, problem }) => status?.node ?? problem)).toEqual([2, 1, expect.any(String)]);
    expect(some.status).toBe(1);
  });
});

test("where nobody answers, all addresses are named", async () => {
  const { status, stdout, stderr } = await runKhonsu(
    "status",
    "--address",
    "127.0.0.1:1",
    "--address",
    "127.0.0.1:2",
  );
  expect(stderr).toMatch(
    /^khonsu: KHONSU_UNAVAILABLE: No node answers: 127\.0\.0\.1:1: .*; 127\.0\.0\.1:2: /,
  );
  expect([status, stdout]).toEqual([1, ""]);
});

/** The sample as its nodes 1, 2 and 3 would tell it, each with replicas of its own. */
function told(change: (status: NodeStatus) => NodeStatus = (status) => status): NodeStatus[] {
  const first = sampleStatus(300);
  return [1, 2, 3].map((node) => {
    const shards = first.shards.map((shard) => {
      if (!shard.replicas.includes(node)) return { ...shard, here: null };
      const role: "leader" | "follower" = shard.leader === node ? "leader" : "follower";
      const applied = 1000 + shard.shard;
      const here = {
        ...first.shards[0]!.here!,
        role,
        applied,
        decided: applied,
        lag: 0,
        followers: [],
        inDoubt: 0,
      };
      return { ...shard, here };
    });
    return change({ ...first, node, shards });
  });
}

test("the word of the leader counts, and replicas that nobody answers for are missed", () => {
  const views = shardViews(told());
  expect(views[0]).toEqual({
    shard: 0,
    leader: 1,
    replicas: [1, 2, 3],
    applied: 1000,
    lag: 0,
    inDoubt: 0,
    troubles: [],
  });
  // Node 4 does not answer.
  expect(views[1]?.troubles).toEqual(["not heard of: 4"]);
});

test("shards without a leader, with a fenced or a lagging replica are in trouble", () => {
  const statuses = told((status) => ({
    ...status,
    shards: status.shards.map((report) => {
      const { here, shard } = report;
      if (here === null) return report;
      if (shard === 0) return { ...report, here: { ...here, role: "candidate" as const } };
      if (shard === 4 && status.node === 2)
        return { ...report, here: { ...here, role: "fenced" as const, fencedBecause: "disk\u001b[2J full" } };
      if (shard === 8 && status.node === 3)
        return { ...report, here: { ...here, applied: here.applied - 1005 } };
      return report;
    }),
  }));
  const views = shardViews(statuses);
  expect(views[0]).toMatchObject({ leader: null, troubles: ["no leader"] });
  expect(views[4]?.troubles).toEqual(["fenced on 2: disk\u001b[2J full"]);
  expect(views[8]).toMatchObject({ lag: 1005, troubles: ["a replica is far behind"] });
  const text = statusText(statuses.map((status) => ({ address: status.address, status })));
  expect(text).toContain("fenced on 2: disk\\u001b[2J full");
  expect(text).toContain("in trouble");
});

test("of very many shards those in trouble are listed, unless all are asked for", () => {
  const [status] = told();
  const [model] = status!.shards;
  const shards = Array.from({ length: 200 }, (_, shard) => {
    const here = shard === 150 ? { ...model!.here!, role: "candidate" as const } : model!.here;
    return { ...model!, shard, replicas: [1], here };
  });
  const answers = [{ address: "a:1", status: { ...status!, shards } }];
  const short = statusText(answers);
  expect(short).toContain("199 more shards are well");
  expect(short.match(/no leader/g)).toHaveLength(1);
  expect(statusText(answers, { isAll: true }).match(/well/g)!.length).toBeGreaterThanOrEqual(199);
});
