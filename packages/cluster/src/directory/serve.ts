/** What a node answers to the questions of others about membership. It never rejects for what was asked. */
import type { Consensus } from "../consensus.ts";
import { ClusterError } from "../errors.ts";
import type { Admission, DirectoryRefusal, DirectoryRefusalCode } from "./command.ts";
import type { AskNode, Directory } from "./directory.ts";
import type { NodeRecordKeeper } from "./node-record.ts";
import type { GroupChange, Question, Reply } from "./question.ts";

export interface ServeContext {
  readonly self: Admission;
  readonly record: NodeRecordKeeper;
  readonly directory: Directory;
  readonly consensusOf: (group: number) => Consensus | undefined;
  readonly ask: AskNode;
  readonly isStopping: boolean;
}

export async function serveQuestion(context: ServeContext, question: Question, from: number): Promise<Reply> {
  switch (question.kind) {
    case "hello":
      return greeting(context, from, question.nonce);
    case "join":
      return join(context, question.admission);
    case "fetch": {
      const { state } = context.directory;
      return state === undefined || state.version <= question.after
        ? { kind: "nothingNew" }
        : { kind: "state", state };
    }
    case "change":
      return attempt(async () => {
        const outcome = await context.directory.proposeHere(question.command);
        return outcome === undefined
          ? unavailable("what came of the change is not known")
          : { kind: "outcome", outcome };
      });
    case "inspect":
      return inspect(context, question.group);
    case "changeGroup":
      return changeGroup(context, question.group, question.change);
  }
}

/**
 * A founder that was not there when the others began is given the founding, if it is the disk that was counted on: it has not
 * voted yet, and may begin. If it has been removed since, its groups have nothing to do with it, and it will hear of that.
 */
function greeting({ self, record }: ServeContext, from: number, nonce: string): Reply {
  const { cluster, founding } = record.durable;
  const isAwaited = founding?.members.get(from)?.nonce === nonce;
  return {
    kind: "greeting",
    self,
    clusterId: cluster?.clusterId,
    founding: isAwaited ? founding : undefined,
  };
}

async function join({ directory, ask }: ServeContext, admission: Admission): Promise<Reply> {
  const { node, nonce } = admission;
  const before = directory.state?.members.get(node);
  if (directory.state === undefined) return unavailable("this node does not know its cluster yet");
  if (before !== undefined && before.state !== "gone" && before.nonce !== nonce) {
    const other = await ask(node, { kind: "hello", node, nonce }).catch(() => undefined);
    if (other?.kind === "greeting" && other.self.nonce === before.nonce) {
      return refused(
        "KHONSU_NODE_ID_TAKEN",
        `Node ${node} is a member and alive: choose another number`,
        false,
      );
    }
  }
  return attempt(async () => {
    await directory.change({ kind: "admit", admission });
    return { kind: "outcome", outcome: { kind: "done", version: directory.state?.version ?? 0 } };
  });
}

function inspect({ consensusOf, isStopping }: ServeContext, group: number): Reply {
  const consensus = consensusOf(group);
  const membership = consensus?.admin?.membership();
  if (consensus === undefined || membership === undefined)
    return unavailable(`there is no replica of group ${group} here`);
  return { kind: "group", isLeader: consensus.status().isLeader, isStopping, ...membership };
}

async function changeGroup(
  { consensusOf }: ServeContext,
  group: number,
  { kind, replica }: GroupChange,
): Promise<Reply> {
  const admin = consensusOf(group)?.admin;
  if (admin === undefined) return unavailable(`there is no replica of group ${group} here`);
  return attempt(async () => {
    if (kind === "transfer") await admin.handOver(replica);
    else await admin.changeMembers(kind, replica);
    return { kind: "groupChanged" };
  });
}

async function attempt(work: () => Promise<Reply>): Promise<Reply> {
  try {
    return await work();
  } catch (error) {
    const { code, message, retryable } =
      error instanceof Error
        ? (error as ClusterError)
        : new ClusterError("KHONSU_UNAVAILABLE", String(error));
    const isNamed = typeof code === "string" && /^KHONSU_[A-Z_]{1,64}$/.test(code);
    return refused(
      (isNamed ? code : "KHONSU_UNAVAILABLE") as DirectoryRefusalCode,
      message,
      !isNamed || retryable,
    );
  }
}

function unavailable(message: string): Reply {
  return refused("KHONSU_UNAVAILABLE", `Not done: ${message}`, true);
}

function refused(code: DirectoryRefusalCode, message: string, retryable: boolean): Reply {
  const refusal: DirectoryRefusal = { code, message, retryable };
  return { kind: "refused", refusal };
}
