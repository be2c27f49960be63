/** A replica's account of itself, gathered from its roles. */

import { isMember, isVoter } from "./membership.ts";
import type { Roles } from "./roles.ts";
import type { BriefStatus, Role, Status } from "./status.ts";

/** @param fencedBecause undefined unless the replica is fenced */
export function statusOf(roles: Roles, fencedBecause: string | undefined): Status {
  const { acceptor, checkpoints, context, election, images, leadership, learner, proposals, reads } = roles;
  const { leader } = leadership;
  const { progress } = images;
  const own = leader === undefined ? [] : [{ replica: context.self, through: leader.matchOf(context.self) }];
  return {
    replica: context.self,
    role: roleOf(roles, fencedBecause !== undefined),
    leader: leadership.known,
    promised: acceptor.promised,
    ballot: leadership.ballot,
    trimmed: context.log.trimmed,
    checkpoint: checkpoints.slot,
    applied: learner.applied,
    decided: learner.decided,
    last: context.log.last,
    chain: learner.chain,
    chainAt: learner.applied,
    configuration: learner.configuration,
    healthy: election.healthy,
    quorumConnected: election.quorumConnected,
    diskStalled: leadership.stalled,
    doubtful: acceptor.doubtful,
    writesOutstanding: context.outbox.writesOutstanding,
    proposalsQueued: leader?.queue.length ?? 0,
    proposalsForwarded: proposals.forwarded,
    readsWaiting: reads.length,
    inFlight: leader?.inFlight ?? 0,
    matched: [...own, ...(leader?.matched ?? [])].sort((a, b) => a.replica - b.replica),
    fetching:
      progress === undefined
        ? undefined
        : { slot: progress.checkpoint.slot, received: progress.received, size: progress.checkpoint.size },
    ticks: context.now,
    fencedBecause,
  };
}

export function briefStatusOf({ leadership, learner }: Roles, isFenced: boolean): BriefStatus {
  return {
    leading: leadership.leader !== undefined && !isFenced,
    leader: leadership.known,
    applied: learner.applied,
  };
}

function roleOf({ admission, context, leadership, learner }: Roles, isFenced: boolean): Role {
  if (isFenced) return "fenced";
  if (leadership.leader !== undefined) return "leader";
  if (leadership.campaign !== undefined) return "candidate";
  const { configuration } = learner;
  if (admission.retired || !admission.admitted || !isMember(configuration, context.self)) return "outsider";
  return isVoter(configuration, context.self) ? "follower" : "learner";
}
