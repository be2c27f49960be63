/**
 * The next step of a move, from what the directory says and what the group's leader has. It depends on nothing else, so that
 * whoever moves replicas can die at any step, and another goes on (PL-6): a new replica learns, is promoted when it has caught up,
 * then the old one goes, after it has handed over leadership, and then the directory records it.
 */
import type { GroupChange, GroupView } from "./question.ts";
import {
  afterMove,
  type GroupRecord,
  hasReplica,
  type ReplicaIdentity,
  replicasIn,
  sameReplica,
} from "./state.ts";

export type MoveStep =
  | { readonly kind: "changeGroup"; readonly change: GroupChange }
  /** The one that is to go leads: it first hands over to one of these. */
  | { readonly kind: "handOver"; readonly candidates: readonly ReplicaIdentity[] }
  /** The group is as the move wants it. */
  | { readonly kind: "record" }
  /** The replica that is to come cannot come. */
  | { readonly kind: "cancel"; readonly add: ReplicaIdentity };

/**
 * @param leader the node that leads the group, which `view` is of.
 * @param isViable whether a replica can still come: its node is an active member and its disk the one it was.
 */
export function nextStep(
  record: GroupRecord,
  leader: number,
  { voters, learners }: GroupView,
  isViable: (replica: ReplicaIdentity) => boolean,
): MoveStep {
  const { add, remove } = record.move ?? { add: undefined, remove: undefined };
  const isMember = (replica: ReplicaIdentity) => hasReplica(voters, replica) || hasReplica(learners, replica);
  const hasCome = add === undefined || hasReplica(voters, add);
  const hasGone = remove === undefined || !isMember(remove);
  if (hasCome && hasGone) return { kind: "record" };
  if (add !== undefined && !isViable(add)) return { kind: "cancel", add };
  if (add !== undefined && !hasCome) {
    return { kind: "changeGroup", change: { kind: isMember(add) ? "promote" : "add", replica: add } };
  }
  const gone = remove!;
  if (gone.node !== leader) return { kind: "changeGroup", change: { kind: "remove", replica: gone } };
  return { kind: "handOver", candidates: voters.filter((voter) => !sameReplica(voter, gone)) };
}

/**
 * Members of a group at rest that nobody recorded: a mover that was late added them. Only those count whose incarnation this state
 * knows to be given: of a later one it cannot say that it was not recorded since.
 */
export function strayMembers(
  record: GroupRecord,
  { voters, learners }: GroupView,
  lastIncarnation: number,
): readonly ReplicaIdentity[] {
  const known = [...replicasIn(record), ...afterMove(record)];
  const isKnown = (member: ReplicaIdentity) =>
    hasReplica(known, member) || member.incarnation > lastIncarnation;
  return [...voters, ...learners].filter((member) => !isKnown(member));
}

/** Recorded replicas of a group at rest that are no members of it. */
export function missingMembers(
  record: GroupRecord,
  { voters, learners }: GroupView,
): readonly ReplicaIdentity[] {
  return record.replicas.filter((replica) => !hasReplica(voters, replica) && !hasReplica(learners, replica));
}
