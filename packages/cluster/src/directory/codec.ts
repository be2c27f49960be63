/** The directory's state, its commands and their outcomes as bytes (proto/khonsu/directory/v1). Strict both ways. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { known, malformed, rising, toInteger } from "../codec/wire.ts";
import { ClusterError } from "../errors.ts";
import * as pb from "../gen/khonsu/directory/v1/directory_pb.ts";
import type {
  Admission,
  DirectoryCommand,
  DirectoryOutcome,
  DirectoryRefusal,
  DirectoryRefusalCode,
} from "./command.ts";
import type {
  DirectoryState,
  GroupMove,
  GroupRecord,
  Member,
  MemberState,
  ReplicaIdentity,
} from "./state.ts";

const STATE: Readonly<Record<MemberState, pb.MemberState>> = {
  active: pb.MemberState.ACTIVE,
  leaving: pb.MemberState.LEAVING,
  gone: pb.MemberState.GONE,
};

export function encodeState(state: DirectoryState): Uint8Array {
  return toBinary(pb.StateSchema, fromState(state));
}

/** @throws ClusterError `KHONSU_DIRECTORY_MALFORMED` */
export function decodeState(bytes: Uint8Array): DirectoryState {
  return decoding("state", bytes, () => toState(fromBinary(pb.StateSchema, bytes)));
}

export function encodeDirectoryCommand(command: DirectoryCommand): Uint8Array {
  return toBinary(pb.CommandSchema, fromCommand(command));
}

/** @throws ClusterError `KHONSU_DIRECTORY_MALFORMED` */
export function decodeDirectoryCommand(bytes: Uint8Array): DirectoryCommand {
  return decoding("command", bytes, () => toCommand(fromBinary(pb.CommandSchema, bytes)));
}

export function decoding<T>(what: string, bytes: Uint8Array, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    const message = `Cannot decode ${bytes.length} bytes as a ${what} of the directory${why}`;
    throw new ClusterError("KHONSU_DIRECTORY_MALFORMED", message, { cause });
  }
}

export function fromReplica({ node, incarnation }: ReplicaIdentity): pb.Replica {
  return create(pb.ReplicaSchema, { node, incarnation });
}

export function toReplica(message: pb.Replica | undefined): ReplicaIdentity {
  const { node, incarnation } = known(message, "a replica");
  if (node < 1 || incarnation < 1) throw malformed(`a replica is ${node}#${incarnation}`);
  return { node, incarnation };
}

function optional<M, T>(message: M | undefined, to: (message: M) => T): T | undefined {
  return message === undefined ? undefined : to(message);
}

function fromMove({ add, remove }: GroupMove): pb.Move {
  return create(pb.MoveSchema, {
    ...(add === undefined ? {} : { add: fromReplica(add) }),
    ...(remove === undefined ? {} : { remove: fromReplica(remove) }),
  });
}

function toMove(message: pb.Move | undefined): GroupMove {
  const { add, remove } = known(message, "a move");
  return { add: optional(add, toReplica), remove: optional(remove, toReplica) };
}

export function fromState(state: DirectoryState): pb.State {
  const { version, clusterId, shardCount, delimiter, replicas, lastIncarnation, members, groups } = state;
  return create(pb.StateSchema, {
    version: BigInt(version),
    clusterId,
    shardCount,
    ...(delimiter === undefined ? {} : { delimiter }),
    replicas,
    lastIncarnation,
    members: Array.from(members.values(), fromMember),
    groups: Array.from(groups.values(), fromGroup),
  });
}

export function toState(message: pb.State | undefined): DirectoryState {
  const { version, clusterId, shardCount, delimiter, replicas, lastIncarnation, ...lists } = known(
    message,
    "a state",
  );
  const members = rising(lists.members.map(toMember), ({ node }) => node, "members");
  const groups = rising(lists.groups.map(toGroup), ({ group }) => group, "groups");
  return {
    version: toInteger(version, "a version"),
    clusterId,
    shardCount,
    delimiter,
    replicas,
    lastIncarnation,
    members: new Map(members.map((member) => [member.node, member])),
    groups: new Map(groups.map((group) => [group.group, group])),
  };
}

function fromMember({ zone, state, ...rest }: Member): pb.Member {
  return create(pb.MemberSchema, { ...rest, ...(zone === undefined ? {} : { zone }), state: STATE[state] });
}

function toMember(message: pb.Member): Member {
  const { node, address, zone, weight, incarnation, nonce, state } = known(message, "a member");
  const named = (Object.keys(STATE) as MemberState[]).find((name) => STATE[name] === state);
  if (named === undefined) throw malformed(`a member's state is ${state}`);
  return { node, address, zone, weight, incarnation, nonce, state: named };
}

function fromGroup({ group, replicas, move }: GroupRecord): pb.Group {
  return create(pb.GroupSchema, {
    group,
    replicas: replicas.map(fromReplica),
    ...(move === undefined ? {} : { move: fromMove(move) }),
  });
}

function toGroup(message: pb.Group): GroupRecord {
  const { group, replicas, move } = known(message, "a group");
  return {
    group,
    replicas: rising(replicas.map(toReplica), ({ node }) => node, "replicas"),
    move: optional(move, toMove),
  };
}

export function fromAdmission({ zone, node, nonce, address, weight }: Admission): pb.Admit {
  return create(pb.AdmitSchema, { node, nonce, address, weight, ...(zone === undefined ? {} : { zone }) });
}

export function toAdmission(message: pb.Admit): Admission {
  const { node, nonce, address, zone, weight } = known(message, "an admission");
  return { node, nonce, address, zone, weight };
}

export function fromCommand(command: DirectoryCommand): pb.Command {
  return create(pb.CommandSchema, { command: commandCase(command) });
}

function commandCase(command: DirectoryCommand): pb.Command["command"] {
  switch (command.kind) {
    case "found":
      return { case: "found", value: fromState(command.state) };
    case "admit":
      return { case: "admit", value: fromAdmission(command.admission) };
    case "update": {
      const { node, address, weight } = command;
      const fields = {
        node,
        ...(address === undefined ? {} : { address }),
        ...(weight === undefined ? {} : { weight }),
      };
      return { case: "update", value: create(pb.UpdateSchema, fields) };
    }
    case "remove":
      return { case: "remove", value: create(pb.RemoveSchema, { node: command.node }) };
    case "retire":
      return { case: "retire", value: create(pb.RetireSchema, { node: command.node }) };
    case "setReplicas":
      return { case: "setReplicas", value: create(pb.SetReplicasSchema, { replicas: command.replicas }) };
    case "beginMove": {
      const { group, add, remove } = command;
      const fields = {
        group,
        ...(add === undefined ? {} : { add }),
        ...(remove === undefined ? {} : { remove: fromReplica(remove) }),
      };
      return { case: "beginMove", value: create(pb.BeginMoveSchema, fields) };
    }
    case "endMove": {
      const fields = { group: command.group, move: fromMove(command.move) };
      return { case: "endMove", value: create(pb.EndMoveSchema, fields) };
    }
    case "cancelMove": {
      const fields = { group: command.group, add: fromReplica(command.add) };
      return { case: "cancelMove", value: create(pb.CancelMoveSchema, fields) };
    }
  }
}

export function toCommand(message: pb.Command | undefined): DirectoryCommand {
  const { command } = known(message, "a command");
  switch (command.case) {
    case "found":
      return { kind: "found", state: toState(command.value) };
    case "admit":
      return { kind: "admit", admission: toAdmission(command.value) };
    case "update": {
      const { node, address, weight } = known(command.value, "an update");
      return { kind: "update", node, address, weight };
    }
    case "remove":
      return { kind: "remove", node: known(command.value, "a removal").node };
    case "retire":
      return { kind: "retire", node: known(command.value, "a retirement").node };
    case "setReplicas":
      return { kind: "setReplicas", replicas: known(command.value, "a number of replicas").replicas };
    case "beginMove": {
      const { group, add, remove } = known(command.value, "the beginning of a move");
      return { kind: "beginMove", group, add, remove: optional(remove, toReplica) };
    }
    case "endMove": {
      const { group, move } = known(command.value, "the end of a move");
      return { kind: "endMove", group, move: toMove(move) };
    }
    case "cancelMove": {
      const { group, add } = known(command.value, "the end of a move");
      return { kind: "cancelMove", group, add: toReplica(add) };
    }
    case undefined:
      throw malformed("a command is empty");
  }
}

const CODE = /^KHONSU_[A-Z_]{1,64}$/;

export function fromRefusal(refusal: DirectoryRefusal): pb.Refused {
  return create(pb.RefusedSchema, { ...refusal });
}

export function toRefusal(message: pb.Refused): DirectoryRefusal {
  const { code, message: text, retryable } = known(message, "a refusal");
  if (!CODE.test(code)) throw malformed(`a refusal has the code ${JSON.stringify(code)}`);
  return { code: code as DirectoryRefusalCode, message: text, retryable };
}

export function fromOutcome(outcome: DirectoryOutcome): pb.Outcome {
  return create(pb.OutcomeSchema, {
    outcome:
      outcome.kind === "done"
        ? { case: "done", value: BigInt(outcome.version) }
        : { case: "refused", value: fromRefusal(outcome.refusal) },
  });
}

export function toOutcome(message: pb.Outcome | undefined): DirectoryOutcome {
  const { outcome } = known(message, "an outcome");
  switch (outcome.case) {
    case "done":
      return { kind: "done", version: toInteger(outcome.value, "a version") };
    case "refused":
      return { kind: "refused", refusal: toRefusal(outcome.value) };
    case undefined:
      throw malformed("an outcome is empty");
  }
}
