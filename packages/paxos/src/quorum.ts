/**
 * Quorums as sets of distinct voters of one configuration (PX-5). Sizes of the two phases may differ: what safety needs is
 * that each prepare quorum meets each accept quorum (Flexible Paxos, Howard et al. 2016), within a configuration and from one
 * configuration to the next (PX-11).
 */
import type { Configuration } from "./configuration.ts";
import type { ReplicaId } from "./replica-id.ts";

export function prepareQuorumSize(configuration: Configuration): number {
  const { quorums, voters } = configuration;
  return quorums === "majority" ? Math.floor(voters.length / 2) + 1 : quorums.prepare;
}

export function acceptQuorumSize(configuration: Configuration): number {
  const { quorums, voters } = configuration;
  return quorums === "majority" ? Math.floor(voters.length / 2) + 1 : quorums.accept;
}

/** How many distinct voters of `configuration` are in `replicas`; others in it do not count. */
export function countVoters(configuration: Configuration, replicas: ReadonlySet<ReplicaId>): number {
  let count = 0;
  for (const voter of configuration.voters) if (replicas.has(voter)) count++;
  return count;
}

export function isPrepareQuorum(configuration: Configuration, replicas: ReadonlySet<ReplicaId>): boolean {
  return countVoters(configuration, replicas) >= prepareQuorumSize(configuration);
}

export function isAcceptQuorum(configuration: Configuration, replicas: ReadonlySet<ReplicaId>): boolean {
  return countVoters(configuration, replicas) >= acceptQuorumSize(configuration);
}

/**
 * The highest value that an accept quorum has reached: the k-th largest of the voters' values, where k is the quorum size.
 * @param reached the value of one voter; 0 if it has reached none.
 */
export function reachedByAcceptQuorum(
  configuration: Configuration,
  reached: (voter: ReplicaId) => number,
): number {
  const values = configuration.voters.map(reached).sort((a, b) => b - a);
  return values[acceptQuorumSize(configuration) - 1] ?? 0;
}

/** Whether each set of `sizeA` members of `a` meets each set of `sizeB` members of `b`. */
export function everyPairMeets(
  a: readonly ReplicaId[],
  sizeA: number,
  b: readonly ReplicaId[],
  sizeB: number,
): boolean {
  const common = a.filter((replica) => b.includes(replica)).length;
  // Disjoint sets draw from the members that only one side has first; the rest must come out of the common ones.
  const needed = Math.max(0, sizeA - (a.length - common)) + Math.max(0, sizeB - (b.length - common));
  return needed > common;
}

/** Whether prepare and accept quorums meet within `configuration`, and neither is larger than the number of voters. */
export function quorumsMeet(configuration: Configuration): boolean {
  const { voters } = configuration;
  const prepare = prepareQuorumSize(configuration);
  const accept = acceptQuorumSize(configuration);
  const sizesFit = prepare >= 1 && accept >= 1 && prepare <= voters.length && accept <= voters.length;
  return sizesFit && everyPairMeets(voters, prepare, voters, accept);
}

/** Whether the quorums of two consecutive configurations meet, whichever of the two phases each is for (PX-11). */
export function consecutiveQuorumsMeet(before: Configuration, after: Configuration): boolean {
  const meets = (prepare: Configuration, accept: Configuration): boolean =>
    everyPairMeets(prepare.voters, prepareQuorumSize(prepare), accept.voters, acceptQuorumSize(accept));
  return quorumsMeet(after) && meets(before, after) && meets(after, before);
}
