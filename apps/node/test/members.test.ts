/** Members that come and go by `khonsu members`, and who may have them do so. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TemporaryDirectory } from "../src/demo/temporary-directory.ts";
import { batchOfRows } from "../src/files/build-batch.ts";
import { ADMIN_PATH } from "../src/node/admin-route.ts";
import type { RunningNode } from "../src/node/running-node.ts";
import { startNode } from "../src/node/start-node.ts";
import { CALM } from "./node/calm.ts";
import { freePorts } from "./node/free-ports.ts";
import { LocalCluster } from "./node/local-cluster.ts";
import { runKhonsuWith } from "./run-khonsu.ts";

const TOKEN = "a-token-of-some-length";
const directory = new TemporaryDirectory("khonsu-members-");
let cluster: LocalCluster;
let fourth: RunningNode | undefined;

beforeAll(async () => {
  const tokens = join(directory.path, "tokens.json");
  writeFileSync(tokens, JSON.stringify({ tokens: [{ name: "operator", token: TOKEN }] }));
  cluster = await LocalCluster.open(3, { ...CALM, tokens });
});
afterAll(async () => {
  await fourth?.stop();
  await cluster.close();
  directory[Symbol.dispose]();
});

const khonsu = (...args: string[]) =>
  runKhonsuWith({ env: { KHONSU_ADDRESS: cluster.node(1).address, KHONSU_TOKEN: TOKEN } }, ...args);

async function post(
  body: string,
  headers: Record<string, string>,
): Promise<{ status: number; code: string }> {
  const response = await fetch(`http://${cluster.node(1).address}${ADMIN_PATH}`, {
    method: "POST",
    body,
    headers,
  });
  return { status: response.status, code: ((await response.json()) as { code: string }).code };
}

test("only who has a token, says that it is JSON, and asks for what there is", async () => {
  const remove = JSON.stringify({ kind: "remove", node: 2 });
  const json = { "content-type": "application/json" };
  const known = { ...json, authorization: `Bearer ${TOKEN}` };
  expect(await post(remove, json)).toEqual({ status: 401, code: "KHONSU_UNAUTHENTICATED" });
  const wrong = { ...json, authorization: "Bearer another-token-of-some-length" };
  expect(await post(remove, wrong)).toEqual({ status: 401, code: "KHONSU_UNAUTHENTICATED" });
  const plain = { ...known, "content-type": "text/plain" };
  expect(await post(remove, plain)).toEqual({ status: 415, code: "KHONSU_INVALID_OPTION" });
  for (const body of ["", "{", "null", '{"kind":"found"}', '{"kind":"remove","node":0}', " ".repeat(5000)])
    expect(await post(body, known)).toEqual({ status: 400, code: "KHONSU_INVALID_OPTION" });
  const got = await fetch(`http://${cluster.node(1).address}${ADMIN_PATH}`, { headers: json });
  expect(got.status).toBe(405);
  expect(
    cluster
      .node(1)
      .status()
      .members.map(({ state }) => state),
  ).toEqual(["active", "active", "active"]);
});

test("a node is let in, another one leaves, and what was written stays", async () => {
  await cluster.node(1).transact((tx) => {
    for (let i = 0; i < 20; i++) tx.write(`k${i}`, batchOfRows([{ n: i }]));
  });
  const few = await khonsu("members", "remove", "2");
  expect(few).toMatchObject({ status: 1, stderr: expect.stringContaining("KHONSU_TOO_FEW_MEMBERS") });

  const [port] = await freePorts(1);
  const { cluster: name, tokens } = cluster.configs[0]!;
  fourth = await startNode({
    node: 4,
    cluster: name,
    data: join(directory.path, "node-4"),
    join: [`2@${cluster.node(2).address}`],
    listen: { port: port! },
    log: { level: "error" },
    ...CALM,
    tokens,
  });
  const added = await khonsu("members", "add", fourth.address, "--timeout", "120");
  expect(added).toEqual({ status: 0, stdout: "", stderr: `${fourth.address} is a member and serves\n` });

  const removed = await khonsu("members", "remove", "2", "--timeout", "240");
  expect(removed).toEqual({ status: 0, stdout: "", stderr: "node 2 is gone\n" });
  const json = await khonsu("members", "list", "--json");
  const members: { node: number; state: string }[] = JSON.parse(json.stdout);
  expect(members.map(({ node, state }) => `${node} ${state}`)).toEqual([
    "1 active",
    "2 gone",
    "3 active",
    "4 active",
  ]);
  const table = await khonsu("members", "list");
  expect(table.stdout).toMatch(new RegExp(`│ +4 │ ${fourth.address} │ – +│ +1 │ +4 │ active │ yes`));
  const keys = await khonsu("scan", "--keys", "--format", "json");
  expect(keys.stdout.trim().split("\n")).toHaveLength(20);
});

test("weights and the number of replicas change, and what there is not is named", async () => {
  expect(await khonsu("members", "weight", "3", "2.5")).toMatchObject({
    status: 0,
    stderr: "node 3 has weight 2.5\n",
  });
  const list = await khonsu("members", "list", "--json");
  expect(JSON.parse(list.stdout).find(({ node }: { node: number }) => node === 3).weight).toBe(2.5);
  expect(await khonsu("members", "replicas", "1")).toMatchObject({
    status: 0,
    stderr: "shards are to have 1 replica\n",
  });
  const unknown = await khonsu("members", "remove", "9");
  expect(unknown).toMatchObject({ status: 1, stderr: expect.stringContaining("KHONSU_MEMBER_UNKNOWN") });
  const nobody = await khonsu("members", "remove", "3", "--address", "127.0.0.1:1");
  expect(nobody).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("KHONSU_UNAVAILABLE: No node answers"),
  });
});
