/** The roles of one replica, each the owner of its slice of the state, put together. */

import type { Acceptor } from "./acceptor.ts";
import type { Recovered } from "./acceptor-storage.ts";
import { Admission } from "./admission.ts";
import { CatchUp } from "./catch-up.ts";
import { ChainCheck } from "./chain-check.ts";
import { Checkpoints } from "./checkpoints.ts";
import type { Context } from "./context.ts";
import { ImageTransfer } from "./image-transfer.ts";
import { LeaderElection } from "./leader-election.ts";
import { Leadership } from "./leadership.ts";
import type { Learner } from "./learner.ts";
import { Lease } from "./lease.ts";
import { MembershipChanges } from "./membership-changes.ts";
import { Proposals } from "./proposals.ts";
import { ReadConfirmation } from "./read-confirmation.ts";
import { Reads } from "./reads.ts";
import type { Parts } from "./startup.ts";
import { Transfer } from "./transfer.ts";

export interface Roles {
  readonly context: Context;
  readonly acceptor: Acceptor;
  readonly learner: Learner;
  readonly admission: Admission;
  readonly leadership: Leadership;
  readonly election: LeaderElection;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly confirmation: ReadConfirmation;
  readonly lease: Lease;
  readonly catchUp: CatchUp;
  readonly images: ImageTransfer;
  readonly checkpoints: Checkpoints;
  readonly transfer: Transfer;
  readonly membership: MembershipChanges;
  readonly chain: ChainCheck;
}

export function assembleRoles(parts: Parts, recovered: Recovered): Roles {
  const { acceptor, context, genesis, learner, restarted } = parts;
  const run = recovered.run + 1;
  const admitted = recovered.admitted || (recovered.replica === undefined && genesis !== undefined);
  const lease = new Lease(context, restarted);
  const reads = new Reads(context, run);
  const transfer = new Transfer(context, lease);
  const following = {
    context,
    acceptor,
    learner,
    admission: new Admission(context, learner, { genesis, run }, admitted),
    election: new LeaderElection(context),
    proposals: new Proposals(context, learner.sessions),
    reads,
    confirmation: new ReadConfirmation(context, learner, reads, lease),
    lease,
    catchUp: new CatchUp(context, learner),
    images: new ImageTransfer(context, recovered.staged),
    transfer,
    membership: new MembershipChanges(context, learner, transfer),
    chain: new ChainCheck(context, learner, recovered.decided, recovered.chain),
  };
  const leadership = new Leadership(following);
  // A leader that replaces its state by an image leads no more.
  const beforeRestore = () => {
    if (leadership.leader !== undefined) leadership.resign();
  };
  return {
    ...following,
    leadership,
    checkpoints: new Checkpoints(following, parts.checkpoint, beforeRestore),
  };
}
