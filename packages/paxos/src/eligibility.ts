/** Whether this replica may lead, and how it stands: what it says of itself to whoever asks (PX-16). */
import type { Acceptor } from "./acceptor.ts";
import type { Admission } from "./admission.ts";
import type { Ballot } from "./ballot.ts";
import type { Context } from "./context.ts";
import type { LeaderElection } from "./leader-election.ts";
import type { Learner } from "./learner.ts";
import type { Lease } from "./lease.ts";
import { isVoter } from "./membership.ts";
import type { Standing } from "./message.ts";

export interface EligibilityRoles {
  readonly context: Context;
  readonly acceptor: Acceptor;
  readonly learner: Learner;
  readonly admission: Admission;
  readonly election: LeaderElection;
  readonly lease: Lease;
}

export class Eligibility {
  private readonly roles: EligibilityRoles;

  constructor(roles: EligibilityRoles) {
    this.roles = roles;
  }

  /** Whether the oldest write under way is older than an election timeout. */
  get stalled(): boolean {
    const { context } = this.roles;
    const since = context.outbox.oldestWriteAt;
    return since !== undefined && context.now - since > context.options.electionTimeoutTicks;
  }

  /** Whether it votes, and neither its disk nor its state nor a lease is in the way. */
  get mayLead(): boolean {
    const { admission, lease } = this.roles;
    return this.mayVote && !admission.retired && !lease.forbids(this.nextBallot);
  }

  /** Whether it votes, with a disk that keeps up and a state that is whole. */
  get mayVote(): boolean {
    const { admission, context, learner } = this.roles;
    const votes = isVoter(learner.configuration, context.self);
    return votes && admission.admitted && !this.stalled && !learner.restoring;
  }

  /** The ballot that it would campaign with. */
  get nextBallot(): Ballot {
    const { context, election } = this.roles;
    const { options, self } = context;
    return { round: election.nextBallotRound, priority: options.priority, replica: self };
  }

  /** @param leading the ballot under which it leads; `ZERO_BALLOT` if it does not */
  standing(leading: Ballot): Standing {
    const { acceptor, admission, context, election, learner } = this.roles;
    const { applied, chain, decided } = learner;
    return {
      leading,
      promised: acceptor.promised,
      healthy: election.healthy,
      electable: this.mayLead && election.mayReachQuorum,
      stalled: this.stalled || !admission.admitted,
      priority: context.options.priority,
      decided,
      chain: applied === decided ? chain : 0,
    };
  }
}
