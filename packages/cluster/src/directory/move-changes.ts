/** Which replicas a group has: one move at a time, which leaves it a majority of sound ones at each of its steps (PL-5, PL-7). */
import { violated } from "../errors.ts";
import { type Change, Refused } from "./change.ts";
import {
  afterMove,
  type DirectoryState,
  type GroupMove,
  type GroupRecord,
  hasReplica,
  hasSoundMajority,
  isSound,
  type ReplicaIdentity,
  replicasIn,
  sameMove,
  sameReplica,
} from "./state.ts";

export function beginMove(
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

export function endMove(state: DirectoryState, group: number, move: GroupMove): Change {
  const record = state.groups.get(group);
  if (record === undefined || !sameMove(record.move, move))
    return misfit(group, "no such change is under way");
  return withGroup(state, { group, replicas: afterMove(record), move: undefined });
}

export function cancelMove(state: DirectoryState, group: number, add: ReplicaIdentity): Change {
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
