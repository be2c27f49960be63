/**
 * Ballots, totally ordered by round, then priority, then replica (*Paxos Made Simple* §2.2; the priority is OmniPaxos's). Two
 * leaderships never share a ballot: the replica is part of it, and a replica never reuses a round (PX-2).
 */
import { formatReplica, type ReplicaId } from "./replica-id.ts";

export interface Ballot {
  /** From 1; 0 only in `ZERO_BALLOT`. */
  readonly round: number;
  /** Of the replica that made the ballot: among ballots of one round the higher priority wins. */
  readonly priority: number;
  readonly replica: ReplicaId;
}

/** Below every ballot that anybody makes: nothing promised, nothing accepted, no leader. */
export const ZERO_BALLOT: Ballot = Object.freeze({ round: 0, priority: 0, replica: 0 as ReplicaId });

/** Negative, zero or positive as `a` is below, equal to or above `b`. */
export function compareBallots(a: Ballot, b: Ballot): number {
  return a.round - b.round || a.priority - b.priority || a.replica - b.replica;
}

export function sameBallot(a: Ballot, b: Ballot): boolean {
  return a.replica === b.replica && a.round === b.round && a.priority === b.priority;
}

export function maxBallot(a: Ballot, b: Ballot): Ballot {
  return compareBallots(a, b) >= 0 ? a : b;
}

/** For people: `none` for `ZERO_BALLOT`; `3.2` is round 3 of replica 2; a priority other than 0 stands between, `3.p5.2`. */
export function formatBallot(ballot: Ballot): string {
  if (ballot.round === 0) return "none";
  const priority = ballot.priority === 0 ? "" : `p${ballot.priority}.`;
  return `${ballot.round}.${priority}${formatReplica(ballot.replica)}`;
}
