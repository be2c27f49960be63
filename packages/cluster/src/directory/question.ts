/** What nodes ask each other about membership, outside any log, and the answers, as bytes (proto/khonsu/directory/v1). */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { known, malformed, toInteger } from "../codec/wire.ts";
import * as pb from "../gen/khonsu/directory/v1/question_pb.ts";
import {
  decoding,
  fromAdmission,
  fromCommand,
  fromOutcome,
  fromRefusal,
  fromReplica,
  fromState,
  toAdmission,
  toCommand,
  toOutcome,
  toRefusal,
  toReplica,
  toState,
} from "./codec.ts";
import type { Admission, DirectoryCommand, DirectoryOutcome, DirectoryRefusal } from "./command.ts";
import type { DirectoryState, ReplicaIdentity } from "./state.ts";

export interface GroupChange {
  readonly kind: "add" | "promote" | "remove" | "transfer";
  readonly replica: ReplicaIdentity;
}

/** The configuration of a group, as the replica that answers has it. */
export interface GroupView {
  readonly isLeader: boolean;
  readonly voters: readonly ReplicaIdentity[];
  readonly learners: readonly ReplicaIdentity[];
  /** Whether the node is about to stop, and should not be given leadership. */
  readonly isStopping: boolean;
}

export type Question =
  /** Who are you? */
  | { readonly kind: "hello"; readonly node: number; readonly nonce: string }
  /** Make me a member. */
  | { readonly kind: "join"; readonly admission: Admission }
  /** The state of the directory, if it is newer than version `after`. */
  | { readonly kind: "fetch"; readonly after: number }
  | { readonly kind: "change"; readonly command: DirectoryCommand }
  | { readonly kind: "inspect"; readonly group: number }
  /** To the leader of a group. */
  | { readonly kind: "changeGroup"; readonly group: number; readonly change: GroupChange };

export type Reply =
  | {
      readonly kind: "greeting";
      readonly self: Admission;
      /** Undefined: a node that belongs to no cluster. */
      readonly clusterId: string | undefined;
      /** For a founder that has not heard of the founding. */
      readonly founding: DirectoryState | undefined;
    }
  | { readonly kind: "state"; readonly state: DirectoryState }
  | { readonly kind: "nothingNew" }
  | { readonly kind: "outcome"; readonly outcome: DirectoryOutcome }
  | ({ readonly kind: "group" } & GroupView)
  | { readonly kind: "groupChanged" }
  | { readonly kind: "refused"; readonly refusal: DirectoryRefusal };

const CHANGE: Readonly<Record<GroupChange["kind"], pb.GroupChangeKind>> = {
  add: pb.GroupChangeKind.ADD,
  promote: pb.GroupChangeKind.PROMOTE,
  remove: pb.GroupChangeKind.REMOVE,
  transfer: pb.GroupChangeKind.TRANSFER,
};

export function encodeQuestion(question: Question): Uint8Array {
  return toBinary(pb.QuestionSchema, create(pb.QuestionSchema, { question: fromQuestion(question) }));
}

/** @throws ClusterError `KHONSU_DIRECTORY_MALFORMED` */
export function decodeQuestion(bytes: Uint8Array): Question {
  return decoding("question", bytes, () =>
    toQuestion(known(fromBinary(pb.QuestionSchema, bytes), "a question").question),
  );
}

export function encodeReply(reply: Reply): Uint8Array {
  return toBinary(pb.AnswerSchema, create(pb.AnswerSchema, { answer: fromReply(reply) }));
}

/** @throws ClusterError `KHONSU_DIRECTORY_MALFORMED` */
export function decodeReply(bytes: Uint8Array): Reply {
  return decoding("reply", bytes, () =>
    toReply(known(fromBinary(pb.AnswerSchema, bytes), "an answer").answer),
  );
}

function fromQuestion(question: Question): pb.Question["question"] {
  switch (question.kind) {
    case "hello": {
      const { node, nonce } = question;
      return { case: "hello", value: create(pb.HelloSchema, { node, nonce }) };
    }
    case "join":
      return { case: "join", value: fromAdmission(question.admission) };
    case "fetch":
      return { case: "fetch", value: create(pb.FetchSchema, { after: BigInt(question.after) }) };
    case "change":
      return { case: "change", value: fromCommand(question.command) };
    case "inspect":
      return { case: "inspect", value: create(pb.InspectGroupSchema, { group: question.group }) };
    case "changeGroup": {
      const { group, change } = question;
      const fields = { group, kind: CHANGE[change.kind], replica: fromReplica(change.replica) };
      return { case: "changeGroup", value: create(pb.ChangeGroupSchema, fields) };
    }
  }
}

function toQuestion(question: pb.Question["question"]): Question {
  switch (question.case) {
    case "hello": {
      const { node, nonce } = known(question.value, "a hello");
      return { kind: "hello", node, nonce };
    }
    case "join":
      return { kind: "join", admission: toAdmission(question.value) };
    case "fetch":
      return { kind: "fetch", after: toInteger(known(question.value, "a fetch").after, "a version") };
    case "change":
      return { kind: "change", command: toCommand(question.value) };
    case "inspect":
      return { kind: "inspect", group: known(question.value, "an inspection").group };
    case "changeGroup": {
      const { group, kind, replica } = known(question.value, "a change of a group");
      const named = (Object.keys(CHANGE) as GroupChange["kind"][]).find((name) => CHANGE[name] === kind);
      if (named === undefined) throw malformed(`a change of a group is of kind ${kind}`);
      return { kind: "changeGroup", group, change: { kind: named, replica: toReplica(replica) } };
    }
    case undefined:
      throw malformed("a question is empty");
  }
}

function fromReply(reply: Reply): pb.Answer["answer"] {
  switch (reply.kind) {
    case "greeting": {
      const { self, clusterId, founding } = reply;
      const cluster = clusterId === undefined ? {} : { clusterId };
      const found = founding === undefined ? {} : { founding: fromState(founding) };
      return {
        case: "greeting",
        value: create(pb.GreetingSchema, { self: fromAdmission(self), ...cluster, ...found }),
      };
    }
    case "state":
      return { case: "state", value: fromState(reply.state) };
    case "nothingNew":
      return { case: "nothingNew", value: create(pb.NothingNewSchema) };
    case "outcome":
      return { case: "outcome", value: fromOutcome(reply.outcome) };
    case "group": {
      const { isLeader, isStopping, voters, learners } = reply;
      const fields = {
        isLeader,
        isStopping,
        voters: voters.map(fromReplica),
        learners: learners.map(fromReplica),
      };
      return { case: "group", value: create(pb.GroupViewSchema, fields) };
    }
    case "groupChanged":
      return { case: "groupChanged", value: create(pb.GroupChangedSchema) };
    case "refused":
      return { case: "refused", value: fromRefusal(reply.refusal) };
  }
}

function toReply(answer: pb.Answer["answer"]): Reply {
  switch (answer.case) {
    case "greeting": {
      const { self, clusterId, founding } = known(answer.value, "a greeting");
      const found = founding === undefined ? undefined : toState(founding);
      return {
        kind: "greeting",
        self: toAdmission(known(self, "an introduction")),
        clusterId,
        founding: found,
      };
    }
    case "state":
      return { kind: "state", state: toState(answer.value) };
    case "nothingNew":
      return { kind: "nothingNew" };
    case "outcome":
      return { kind: "outcome", outcome: toOutcome(answer.value) };
    case "group": {
      const { isLeader, isStopping, voters, learners } = known(answer.value, "a group");
      return {
        kind: "group",
        isLeader,
        isStopping,
        voters: voters.map(toReplica),
        learners: learners.map(toReplica),
      };
    }
    case "groupChanged":
      return { kind: "groupChanged" };
    case "refused":
      return { kind: "refused", refusal: toRefusal(answer.value) };
    case undefined:
      throw malformed("an answer is empty");
  }
}
