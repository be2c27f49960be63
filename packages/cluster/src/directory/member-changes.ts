/** Who is a member: nodes are admitted, change, leave and are gone. */
import { type Change, Refused } from "./change.ts";
import type { Admission, DirectoryCommand } from "./command.ts";
import {
  activeMembers,
  afterMove,
  byNumber,
  type DirectoryState,
  hasSoundMajority,
  type Member,
  replicasIn,
} from "./state.ts";

const NODES = 2 ** 21;
const WEIGHT_MAX = 1000;
const REPLICAS_MAX = 32;

export function admit(state: DirectoryState, admission: Admission): Change {
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

/** A group that has a sound majority before and none after: now, while a move goes on, or once it has ended. */
function groupWithoutMajority(after: DirectoryState, before: DirectoryState): number | undefined {
  for (const record of after.groups.values()) {
    const steps = [record.replicas, replicasIn(record), afterMove(record)];
    const isLost = steps.some(
      (replicas) => hasSoundMajority(before, replicas) && !hasSoundMajority(after, replicas),
    );
    if (isLost) return record.group;
  }
  return undefined;
}

export function update(
  state: DirectoryState,
  { node, address, weight }: Extract<DirectoryCommand, { kind: "update" }>,
): Change {
  const member = state.members.get(node);
  if (member === undefined || member.state === "gone") return unknown(node);
  const changed = { ...member, address: address ?? member.address, weight: weight ?? member.weight };
  const problem = problemOf(changed);
  return problem === undefined ? withMember(state, changed) : new Refused("KHONSU_INVALID_OPTION", problem);
}

export function remove(state: DirectoryState, node: number): Change {
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

export function retire(state: DirectoryState, node: number): Change {
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

export function setReplicas(state: DirectoryState, replicas: number): Change {
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
