import { expect, test } from "vitest";
import { admissionOf, founded } from "../../test/directory-arbitraries.ts";
import { ManualRuntime } from "../../test/manual-runtime.ts";
import type { Consensus } from "../consensus.ts";
import { type AskNode, Directory } from "./directory.ts";
import { DirectoryLog } from "./directory-log.ts";
import { type NodeRecord, NodeRecordKeeper } from "./node-record.ts";
import type { Reply } from "./question.ts";
import { type ServeContext, serveQuestion } from "./serve.ts";

const unreachable: AskNode = async () => {
  throw new Error("unreachable");
};

/** Node 1 of three, which decides by itself what the directory is to be. */
async function nodeOne(
  ask: AskNode = unreachable,
  state = founded(3, 2),
): Promise<ServeContext & { log: DirectoryLog }> {
  const directory = new Directory({ self: 1, runtime: new ManualRuntime(), ask });
  const log = new DirectoryLog((each) => directory.learn(each));
  const consensus: Consensus = {
    propose: async (command) => log.apply(0, command),
    readBarrier: async () => {},
    status: () => ({ isLeader: true, leader: 1, applied: 0 }),
  };
  directory.host(consensus);
  await directory.change({ kind: "found", state });
  const record = await NodeRecordKeeper.open(
    { load: async () => undefined, save: async () => {} },
    1,
    () => "disk-1-1",
  );
  const cluster = { clusterId: state.clusterId, incarnation: 1 };
  await record.change((current: NodeRecord) => ({ ...current, cluster, founding: state }));
  return {
    self: admissionOf(1),
    record,
    directory,
    log,
    consensusOf: () => undefined,
    ask,
    isStopping: false,
  };
}

const codeOf = (reply: Reply) => (reply.kind === "refused" ? reply.refusal.code : reply.kind);

test("PL-9: an empty disk under the number of a member that is alive is refused, and admitted once it is not", async () => {
  const alive: AskNode = async () => ({
    kind: "greeting",
    self: admissionOf(3),
    clusterId: "cluster",
    founding: undefined,
  });
  const taken = await serveQuestion(await nodeOne(alive), { kind: "join", admission: admissionOf(3, 2) }, 3);
  expect(codeOf(taken)).toBe("KHONSU_NODE_ID_TAKEN");
  const context = await nodeOne();
  expect(codeOf(await serveQuestion(context, { kind: "join", admission: admissionOf(3, 2) }, 3))).toBe(
    "outcome",
  );
  expect(context.log.state!.members.get(3)).toMatchObject({ incarnation: 2, nonce: "disk-3-2" });
  // A second one would leave no majority.
  expect(codeOf(await serveQuestion(context, { kind: "join", admission: admissionOf(2, 2) }, 2))).toBe(
    "KHONSU_MAJORITY_LOST",
  );
});

test("PL-8: the founding is given to a founder on the disk that was counted on, and to nobody else", async () => {
  const context = await nodeOne();
  const founding = async (node: number, nonce: string) => {
    const reply = await serveQuestion(context, { kind: "hello", node, nonce }, node);
    return reply.kind === "greeting" ? [reply.clusterId, reply.founding?.version] : undefined;
  };
  expect(await founding(2, "disk-2-1")).toEqual(["cluster", 1]);
  expect(await founding(2, "disk-2-2")).toEqual(["cluster", undefined]);
  expect(await founding(9, "disk-9-1")).toEqual(["cluster", undefined]);
});

test("who is asked for a change and cannot make it asks nobody in turn", async () => {
  const asked: number[] = [];
  const context = await nodeOne(async (node) => {
    asked.push(node);
    throw new Error("unreachable");
  });
  context.directory.host({
    propose: () => Promise.reject(new Error("the disk has failed")),
    readBarrier: async () => {},
    status: () => ({ isLeader: false, leader: 2, applied: 0 }),
  });
  const change = { kind: "change", command: { kind: "found", state: founded(3, 2) } } as const;
  expect(codeOf(await serveQuestion(context, change, 2))).toBe("KHONSU_UNAVAILABLE");
  expect(asked).toEqual([]);
});

test("what cannot be done here is refused, and can be asked of another", async () => {
  const context = await nodeOne();
  for (const question of [
    { kind: "inspect", group: 0 } as const,
    { kind: "changeGroup", group: 0, change: { kind: "add", replica: { node: 2, incarnation: 1 } } } as const,
  ]) {
    expect(await serveQuestion(context, question, 2)).toMatchObject({
      kind: "refused",
      refusal: { code: "KHONSU_UNAVAILABLE", retryable: true },
    });
  }
  expect(codeOf(await serveQuestion(context, { kind: "fetch", after: 1 }, 2))).toBe("nothingNew");
  expect(codeOf(await serveQuestion(context, { kind: "fetch", after: 0 }, 2))).toBe("state");
});
