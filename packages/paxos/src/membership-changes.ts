/**
 * Membership changes at the leader: which request is taken when, and the promotion of learners that have caught up. One at a
 * time, and none before an entry of the leader's own ballot is decided (PX-11).
 */
import type { MembershipChange } from "./configuration.ts";
import type { Context } from "./context.ts";
import { type RefusalCode, refusal } from "./errors.ts";
import type { Leader } from "./leader.ts";
import type { Learner } from "./learner.ts";
import { changed, isLearner } from "./membership.ts";
import { formatReplica, type ReplicaId } from "./replica-id.ts";
import { NO_SLOT } from "./slot.ts";
import type { Transfer } from "./transfer.ts";

type Problem = readonly [code: RefusalCode, reason: string];

export class MembershipChanges {
  private readonly context: Context;
  private readonly learner: Learner;
  private readonly transfer: Transfer;

  constructor(context: Context, learner: Learner, transfer: Transfer) {
    this.context = context;
    this.learner = learner;
    this.transfer = transfer;
  }

  /** Proposes `change`, or refuses it with the reason. */
  request(change: MembershipChange, leader: Leader | undefined, known: ReplicaId | undefined): void {
    const problem = this.begin(change, leader);
    if (problem === undefined) return;
    const [code, reason] = problem;
    const answer = refusal(code, `Cannot change the membership: ${reason}`, known);
    this.context.outbox.emit({ kind: "membershipRefused", change, refusal: answer });
  }

  /** Makes a learner that wants a vote and has caught up a voter. */
  promoteLearner(leader: Leader): void {
    if (this.isBusy(leader)) return;
    const learners = this.learner.configuration?.learners ?? [];
    const ready = learners.find(({ promote, replica }) => promote && this.isCaughtUp(leader, replica));
    if (ready !== undefined) this.begin({ kind: "promote", replica: ready.replica }, leader);
  }

  private begin(change: MembershipChange, leader: Leader | undefined): Problem | undefined {
    const { configuration } = this.learner;
    if (leader === undefined || configuration === undefined) return ["KHONSU_NOT_LEADER", "another leads"];
    if (this.isBusy(leader)) {
      return ["KHONSU_MEMBERSHIP_BUSY", "the leader's first entry, a change or a transfer is under way"];
    }
    if (change.kind === "remove" && change.replica === this.context.self) {
      return ["KHONSU_MEMBERSHIP_INVALID", "the leader does not remove itself: hand leadership over first"];
    }
    const promotes = change.kind === "promote" && isLearner(configuration, change.replica);
    if (promotes && !this.isCaughtUp(leader, change.replica)) {
      return ["KHONSU_LEARNER_BEHIND", `${formatReplica(change.replica)} has not caught up`];
    }
    const result = changed(configuration, change);
    if (result.problem !== undefined) return ["KHONSU_MEMBERSHIP_INVALID", result.problem];
    leader.changeMembership(result.configuration);
    return undefined;
  }

  private isBusy(leader: Leader): boolean {
    return !leader.established || leader.membershipUnderWay || this.transfer.active;
  }

  private isCaughtUp(leader: Leader, replica: ReplicaId): boolean {
    const answered = leader.matchOf(replica) > NO_SLOT;
    return answered && leader.lagOf(replica) <= this.context.options.promotionLagMax;
  }
}
