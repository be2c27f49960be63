/** Membership changes as a function from one configuration to the next; which of them are allowed (PX-11, PX-12). */
import type { Configuration, Learner, MembershipChange } from "./configuration.ts";
import { consecutiveQuorumsMeet, quorumsMeet } from "./quorum.ts";
import { formatReplica, nodeOf, type ReplicaId } from "./replica-id.ts";

/** The configuration after a change, or why there is none. */
export type ChangeResult =
  | { readonly configuration: Configuration; readonly problem?: undefined }
  | { readonly problem: string; readonly configuration?: undefined };

export function isVoter(configuration: Configuration | undefined, replica: ReplicaId): boolean {
  return configuration?.voters.includes(replica) ?? false;
}

export function isLearner(configuration: Configuration | undefined, replica: ReplicaId): boolean {
  return configuration?.learners.some((learner) => learner.replica === replica) ?? false;
}

export function isMember(configuration: Configuration | undefined, replica: ReplicaId): boolean {
  return isVoter(configuration, replica) || isLearner(configuration, replica);
}

/** Whether `replica` was removed, or is an incarnation before one that was. */
export function isRetired(configuration: Configuration | undefined, replica: ReplicaId): boolean {
  if (configuration === undefined) return false;
  return configuration.retired.some((retired) => nodeOf(retired) === nodeOf(replica) && replica <= retired);
}

/** Voters and learners, ascending. */
export function membersOf(configuration: Configuration | undefined): ReplicaId[] {
  if (configuration === undefined) return [];
  return [...configuration.voters, ...configuration.learners.map(({ replica }) => replica)].sort(
    (a, b) => a - b,
  );
}

/** What is wrong with a configuration to found a group with; undefined if nothing is. */
export function problemOf(configuration: Configuration): string | undefined {
  const members = membersOf(configuration);
  if (configuration.voters.length === 0) return "there is no voter";
  if (new Set(members.map(nodeOf)).size !== members.length) return "a node occurs twice";
  if (!isAscending(configuration.voters)) return "the voters are not in ascending order";
  if (!isAscending(configuration.learners.map(({ replica }) => replica)))
    return "the learners are not in ascending order";
  if (!quorumsMeet(configuration)) return "a prepare and an accept quorum can miss each other";
  return undefined;
}

function isAscending(replicas: readonly ReplicaId[]): boolean {
  return replicas.every((replica, i) => i === 0 || replicas[i - 1]! < replica);
}

/** The configuration that `change` makes of `before`; consecutive quorums meet. */
export function changed(before: Configuration, change: MembershipChange): ChangeResult {
  const after = apply(before, change);
  if (typeof after === "string") return { problem: after };
  if (after.voters.length === 0) return { problem: "no voter would be left" };
  if (!consecutiveQuorumsMeet(before, after))
    return { problem: "quorums before and after the change can miss each other" };
  return { configuration: after };
}

function apply(before: Configuration, change: MembershipChange): Configuration | string {
  switch (change.kind) {
    case "add":
      return add(before, { replica: change.replica, promote: change.promote });
    case "promote":
      return promote({ ...before, quorums: change.quorums ?? before.quorums }, change.replica);
    case "remove":
      return remove({ ...before, quorums: change.quorums ?? before.quorums }, change.replica);
    case "quorums":
      return { ...before, quorums: change.quorums };
  }
}

function add(before: Configuration, learner: Learner): Configuration | string {
  const name = formatReplica(learner.replica);
  if (isRetired(before, learner.replica)) return `${name} was retired: it needs a higher incarnation`;
  if (membersOf(before).some((member) => nodeOf(member) === nodeOf(learner.replica))) {
    return `node ${nodeOf(learner.replica)} is a member: remove its former incarnation first`;
  }
  return { ...before, learners: [...before.learners, learner].sort((a, b) => a.replica - b.replica) };
}

function promote(before: Configuration, replica: ReplicaId): Configuration | string {
  if (!isLearner(before, replica)) return `${formatReplica(replica)} is not a learner`;
  return {
    ...before,
    voters: [...before.voters, replica].sort((a, b) => a - b),
    learners: before.learners.filter((learner) => learner.replica !== replica),
  };
}

function remove(before: Configuration, replica: ReplicaId): Configuration | string {
  if (!isMember(before, replica)) return `${formatReplica(replica)} is not a member`;
  const others = before.retired.filter((retired) => nodeOf(retired) !== nodeOf(replica));
  return {
    ...before,
    voters: before.voters.filter((voter) => voter !== replica),
    learners: before.learners.filter((learner) => learner.replica !== replica),
    retired: [...others, replica].sort((a, b) => a - b),
  };
}
