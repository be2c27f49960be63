/**
 * One change of the directory: a function of the state and the command alone, so that all replicas of it agree (PL-3). What would
 * leave a group without a majority is refused (PL-5). Doing again what is done changes nothing.
 */
import { violated } from "../errors.ts";
import type { Admission, DirectoryCommand, DirectoryOutcome, DirectoryRefusalCode } from "./command.ts";
import {
  activeMembers,
  afterMove,
  byNumber,
  type DirectoryState,
  type GroupMove,
  type GroupRecord,
  hasReplica,
  hasSoundMajority,
  isSound,
  type Member,
  type ReplicaIdentity,
  replicasIn,
  sameMove,
  sameReplica,
} from "./state.ts";

/** What a command makes of a state, or why it is refused. */
type Change = DirectoryState | Refused;

class Refused {
  readonly code: DirectoryRefusalCode;
  readonly message: string;

  constructor(code: DirectoryRefusalCode, message: string) {
    this.code = code;
    this.message = message;
  }
}

const NODES = 2 ** 21;
const WEIGHT_MAX = 1000;
const REPLICAS_MAX = 32;

export interface Applied {
  /** Undefined before the cluster is founded. */
  readonly state: DirectoryState | undefined;
  readonly outcome: DirectoryOutcome;
}

export function applyCommand(state: DirectoryState | undefined, command: DirectoryCommand): Applied {
  if (state === undefined) {
    if (command.kind === "found") return done(command.state);
    return refused(state, new Refused("KHONSU_NOT_FOUNDED", "The cluster is not founded yet"));
  }
  const changed = change(state, command);
  if (changed instanceof Refused) return refused(state, changed);
  return done(changed === state ? state : { ...changed, version: state.version + 1 });
}

function done(state: DirectoryState): Applied {
  return { state, outcome: { kind: "done", version: state.version } };
}

function refused(state: DirectoryState | undefined, { code, message }: Refused): Applied {
  const retryable = code === "KHONSU_NOT_FOUNDED" || code === "KHONSU_MOVE_REFUSED";
  return { state, outcome: { kind: "refused", refusal: { code, message, retryable } } };
}

function change(state: DirectoryState, command: DirectoryCommand): Change {
  switch (command.kind) {
    case "found":
      return state;
    case "admit":
      return admit(state, command.admission);
    case "update":
      return update(state, command);
    case "remove":
      return remove(state, command.node);
    case "retire":
      return retire(state, command.node);
    case "setReplicas":
      return setReplicas(state, command.replicas);
    case "beginMove":
      return beginMove(state, command.group, command.add, command.remove);
    case "endMove":
      return endMove(state, command.group, command.move);
    case "cancelMove":
      return cancelMove(state, command.group, command.add);
  }
}

// --- members ---

function admit(state: DirectoryState, admission: Admission): Change {
  const problem = problemOf(admission);
  if (problem !== undefined) return new Refused("KHONSU_INVALID_OPTION", problem);
  const { node, nonce } = admission;
  const before = state.members.get(node);
  if (before?.nonce === nonce) {
    if (before.state !== "gone") return withMember(state, { ...before, ...admission });
    return new Refused(
      "KHONSU_MEMBER_RETIRED",
      `Node ${node} has left the cluster: empty its disk to use its number again`,
    );
  }
  const incarnation = state.lastIncarnation + 1;
  // Whoever was leaving goes on leaving, also with an empty disk.
  const member: Member = {
    ...admission,
    incarnation,
    state: before?.state === "leaving" ? "leaving" : "active",
  };
  const after = { ...withMember(state, member), lastIncarnation: incarnation };
  if (before !== undefined) {
    const broken = groupWithoutMajority(after, state);
    if (broken !== undefined) {
      const reason = `group ${broken} has lost a majority of its replicas; node ${node} may hold the last copy on its former disk`;
      return new Refused(
        "KHONSU_MAJORITY_LOST",
        `Node ${node} cannot be admitted with an empty disk: ${reason}`,
      );
    }
  }
  return after;
}

function problemOf({ node, nonce, address, weight }: Admission): string | undefined {
  if (!Number.isInteger(node) || node < 1 || node >= NODES)
    return `A node is a number from 1 to ${NODES - 1}: it is ${node}`;
  if (nonce === "" || nonce.length > 64) return "A nonce has 1 to 64 characters";
  if (address === "" || address.length > 512) return `An address has 1 to 512 characters: ${address}`;
  if (!(weight > 0 && weight <= WEIGHT_MAX))
    return `A weight is above 0 and at most ${WEIGHT_MAX}: it is ${weight}`;
  return undefined;
}

/** A group that has a sound majority before and none after. */
function groupWithoutMajority(after: DirectoryState, before: DirectoryState): number | undefined {
  for (const { group, replicas } of after.groups.values()) {
    if (hasSoundMajority(before, replicas) && !hasSoundMajority(after, replicas)) return group;
  }
  return undefined;
}

function update(
  state: DirectoryState,
  { node, address, weight }: Extract<DirectoryCommand, { kind: "update" }>,
): Change {
  const member = state.members.get(node);
  if (member === undefined || member.state === "gone") return unknown(node);
  const changed = { ...member, address: address ?? member.address, weight: weight ?? member.weight };
  const problem = problemOf(changed);
  return problem === undefined ? withMember(state, changed) : new Refused("KHONSU_INVALID_OPTION", problem);
}

function remove(state: DirectoryState, node: number): Change {
  const member = state.members.get(node);
  if (member === undefined) return unknown(node);
  if (member.state !== "active") return state;
  const left = activeMembers(state).length - 1;
  const needed = Math.min(state.replicas, activeMembers(state).length);
  if (left < needed) {
    const message = `${left} members would be left, and shards have ${needed} replicas`;
    return new Refused("KHONSU_TOO_FEW_MEMBERS", `Node ${node} cannot leave: ${message}`);
  }
  return withMember(state, { ...member, state: "leaving" });
}

function retire(state: DirectoryState, node: number): Change {
  const member = state.members.get(node);
  if (member === undefined) return unknown(node);
  if (member.state === "gone") return state;
  const held = [...state.groups.values()].find((group) =>
    replicasIn(group).some((replica) => replica.node === node),
  );
  if (member.state === "active" || held !== undefined) {
    const why = held === undefined ? "it is not leaving" : `it has a replica of group ${held.group}`;
    return new Refused("KHONSU_MOVE_REFUSED", `Node ${node} is not gone: ${why}`);
  }
  return withMember(state, { ...member, state: "gone" });
}

function setReplicas(state: DirectoryState, replicas: number): Change {
  if (replicas === state.replicas) return state;
  if (Number.isInteger(replicas) && replicas >= 1 && replicas <= REPLICAS_MAX) return { ...state, replicas };
  return new Refused("KHONSU_INVALID_OPTION", `A shard has 1 to ${REPLICAS_MAX} replicas: it is ${replicas}`);
}

function unknown(node: number): Refused {
  return new Refused("KHONSU_MEMBER_UNKNOWN", `Node ${node} is not a member`);
}

function withMember(state: DirectoryState, member: Member): DirectoryState {
  const before = state.members.get(member.node);
  const { node, address, zone, weight, incarnation, nonce, state: is } = member;
  const isSame =
    before?.address === address &&
    before.zone === zone &&
    before.weight === weight &&
    before.nonce === nonce &&
    before.state === is &&
    before.incarnation === incarnation;
  if (isSame) return state;
  const clean: Member = { node, address, zone, weight, incarnation, nonce, state: is };
  return {
    ...state,
    members: byNumber(
      [...state.members.values()].filter((each) => each.node !== node).concat(clean),
      (each) => each.node,
    ),
  };
}

// --- replicas ---

function beginMove(
  state: DirectoryState,
  group: number,
  add: number | undefined,
  remove: ReplicaIdentity | undefined,
): Change {
  const record = state.groups.get(group);
  if (record === undefined) return misfit(group, "there is no such group");
  if (record.move !== undefined) return misfit(group, "another change is under way");
  if (add === undefined && remove === undefined) return misfit(group, "nothing would change");
  if (remove !== undefined && !hasReplica(record.replicas, remove))
    return misfit(group, "what is to go is not there");
  if (add !== undefined) {
    if (state.members.get(add)?.state !== "active") return misfit(group, `node ${add} is no active member`);
    if (record.replicas.some(({ node }) => node === add)) return misfit(group, `node ${add} has a replica`);
  }
  const incarnation = state.lastIncarnation + 1;
  const move: GroupMove = { add: add === undefined ? undefined : { node: add, incarnation }, remove };
  const moving = { ...record, move };
  const withIncarnation = add === undefined ? state : { ...state, lastIncarnation: incarnation };
  const both = replicasIn(moving);
  const isSafe =
    hasSoundMajority(withIncarnation, both) && hasSoundMajority(withIncarnation, afterMove(moving));
  if (!isSafe) {
    return new Refused(
      "KHONSU_MAJORITY_LOST",
      `Group ${group} cannot change: it would not have a majority of sound replicas`,
    );
  }
  return withGroup(withIncarnation, moving);
}

function endMove(state: DirectoryState, group: number, move: GroupMove): Change {
  const record = state.groups.get(group);
  if (record === undefined || !sameMove(record.move, move))
    return misfit(group, "no such change is under way");
  return withGroup(state, { group, replicas: afterMove(record), move: undefined });
}

function cancelMove(state: DirectoryState, group: number, add: ReplicaIdentity): Change {
  const record = state.groups.get(group);
  if (record === undefined || !sameReplica(record.move?.add, add))
    return misfit(group, "no such change is under way");
  const isViable = isSound(state, add) && state.members.get(add.node)?.state === "active";
  if (isViable) return misfit(group, `node ${add.node} can still take the replica`);
  return withGroup(state, { ...record, move: { add: undefined, remove: add } });
}

function misfit(group: number, why: string): Refused {
  return new Refused("KHONSU_MOVE_REFUSED", `The replicas of group ${group} cannot change so: ${why}`);
}

function withGroup(state: DirectoryState, record: GroupRecord): DirectoryState {
  const { group, move } = record;
  const all = replicasIn(record);
  const nodes = new Set(record.replicas.map(({ node }) => node));
  if (nodes.size < record.replicas.length || nodes.has(move?.add?.node ?? 0)) {
    throw violated("PL-7", `group ${group} has two replicas on one node`);
  }
  if (all.some(({ incarnation }) => incarnation > state.lastIncarnation)) {
    throw violated("PL-7", `group ${group} has a replica of an incarnation that was never given`);
  }
  return { ...state, groups: new Map(state.groups).set(record.group, record) };
}
