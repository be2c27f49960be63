import { expect, test } from "vitest";
import { admissionOf, founded } from "../../test/directory-arbitraries.ts";
import { ManualRuntime } from "../../test/manual-runtime.ts";
import type { AskNode } from "./directory.ts";
import { enrol } from "./enrolment.ts";
import { NodeRecordKeeper } from "./node-record.ts";
import type { Reply } from "./question.ts";

const greeting = (node: number, clusterId?: string): Reply => ({
  kind: "greeting",
  self: admissionOf(node),
  clusterId,
  founding: undefined,
});

/** Node 1 enrols; `answers` tells what the others say to each kind of question. */
async function enrolling(
  answers: (node: number, kind: string) => Reply | undefined,
  founders?: readonly number[],
) {
  const runtime = new ManualRuntime();
  const record = await NodeRecordKeeper.open(
    { load: async () => undefined, save: async () => {} },
    1,
    () => "disk-1-1",
  );
  let isClosed = false;
  const ask: AskNode = async (node, question) => {
    const answer = answers(node, question.kind);
    if (answer === undefined) throw new Error("unreachable");
    return answer;
  };
  const done = enrol({
    self: admissionOf(1),
    founders,
    seeds: [2, 3],
    layout: { shardCount: 2 },
    record,
    runtime,
    ask,
    drawId: () => "drawn",
    isClosed: () => isClosed,
  });
  const close = () => {
    isClosed = true;
  };
  return { runtime, record, done, close };
}

test("PL-8: founds only while every founder answers that it has no cluster", async () => {
  let isThere = false;
  const { runtime, record, done } = await enrolling(
    (node, kind) => (kind === "hello" && (node === 2 || isThere) ? greeting(node) : undefined),
    [1, 2, 3],
  );
  await runtime.pass(2000);
  expect(record.current.cluster).toBeUndefined();
  isThere = true;
  await runtime.pass(1000);
  expect((await done).clusterId).toBe("drawn");
  expect(record.current).toMatchObject({ cluster: { clusterId: "drawn", incarnation: 1 } });
  expect(record.current.replicas).toHaveLength(3);
});

test("PL-8: founds nothing where a founder has a cluster, whoever else is fresh", async () => {
  const { runtime, record, done, close } = await enrolling(
    (node, kind) => (kind === "hello" ? greeting(node, node === 2 ? "older" : undefined) : undefined),
    [1, 2, 3],
  );
  await runtime.pass(3000);
  expect(record.current.cluster).toBeUndefined();
  close();
  await Promise.all([expect(done).rejects.toMatchObject({ code: "KHONSU_UNAVAILABLE" }), runtime.pass(1000)]);
});

test("members of different clusters are a fault of the configuration", async () => {
  const { done } = await enrolling((node, kind) =>
    kind === "hello" ? greeting(node, `cluster-${node}`) : undefined,
  );
  await expect(done).rejects.toMatchObject({ code: "KHONSU_CLUSTER_MISMATCH" });
});

test("a refusal that trying again cannot help ends the attempt with its code", async () => {
  const refusal = { code: "KHONSU_NODE_ID_TAKEN", message: "taken", retryable: false } as const;
  const { done } = await enrolling((node, kind) =>
    kind === "hello" ? greeting(node, "cluster") : { kind: "refused", refusal },
  );
  await expect(done).rejects.toMatchObject({ code: "KHONSU_NODE_ID_TAKEN" });
});

test("joins a cluster, under the incarnation that it gives", async () => {
  const state = founded(3, 2);
  const member = { ...admissionOf(1), incarnation: 7, state: "active" as const };
  const joined = { ...state, version: 5, lastIncarnation: 7, members: new Map(state.members).set(1, member) };
  const { done, record } = await enrolling((node, kind) => {
    if (kind === "hello") return greeting(node, "cluster");
    return kind === "join"
      ? { kind: "outcome", outcome: { kind: "done", version: 5 } }
      : { kind: "state", state: joined };
  });
  expect((await done).version).toBe(5);
  expect(record.current).toMatchObject({
    cluster: { clusterId: "cluster", incarnation: 7 },
    replicas: [],
    founding: undefined,
  });
});
