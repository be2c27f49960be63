/**
 * Hands leadership over: the leader takes nothing new from its queue, waits until the target has flushed all that is in flight, and
 * tells it to campaign at once (Ongaro 2014, §3.10). A target that lags is refused at once, one that falls behind within half an
 * election timeout, after which the leader goes on as before (PX-19).
 */

import type { Configuration } from "./configuration.ts";
import type { Context } from "./context.ts";
import { type RefusalCode, refusal } from "./errors.ts";
import type { Leader } from "./leader.ts";
import type { Learner } from "./learner.ts";
import type { Lease } from "./lease.ts";
import { isVoter } from "./membership.ts";
import { cannotServe } from "./read-confirmation.ts";
import { formatReplica, type ReplicaId } from "./replica-id.ts";
import type { Slot } from "./slot.ts";

export class Transfer {
  private readonly context: Context;
  private readonly lease: Lease;
  private underWay: { readonly to: ReplicaId; readonly since: number; told: boolean } | undefined;

  constructor(context: Context, lease: Lease) {
    this.context = context;
    this.lease = lease;
  }

  get active(): boolean {
    return this.underWay !== undefined;
  }

  /** Begins to hand over to `to`, or refuses: `leader` is undefined where another replica, `known`, leads. */
  request(
    to: ReplicaId,
    leader: Leader | undefined,
    { configuration, decided }: Pick<Learner, "configuration" | "decided">,
    known: ReplicaId | undefined,
  ): void {
    if (leader === undefined) {
      const refusal = cannotServe("KHONSU_NOT_LEADER", "only the leader can hand over", known);
      this.context.outbox.emit({ kind: "transferRefused", to, refusal });
      return;
    }
    const [code, reason] = this.problemWith(to, leader, configuration, decided) ?? [];
    if (code !== undefined) {
      this.refuse(to, code, reason ?? "");
      return;
    }
    this.underWay = { to, since: this.context.now, told: false };
    leader.hold(true);
  }

  private problemWith(
    to: ReplicaId,
    leader: Leader,
    configuration: Configuration | undefined,
    decided: Slot,
  ): readonly [RefusalCode, string] | undefined {
    const name = formatReplica(to);
    if (!isVoter(configuration, to)) return ["KHONSU_TRANSFER_TARGET_INVALID", `${name} is not a voter`];
    if (to === this.context.self) return ["KHONSU_TRANSFER_TARGET_INVALID", `${name} leads already`];
    if (this.active) return ["KHONSU_MEMBERSHIP_BUSY", "another transfer is under way"];
    if (leader.membershipUnderWay || !leader.established) {
      return ["KHONSU_MEMBERSHIP_BUSY", "the leader's first entry or a membership change is not decided"];
    }
    if (leader.matchOf(to) < decided || leader.lagOf(to) > this.context.options.promotionLagMax) {
      return ["KHONSU_TRANSFER_TARGET_BEHIND", `${name} has not flushed the tail of the log`];
    }
    return undefined;
  }

  private refuse(to: ReplicaId, code: RefusalCode, reason: string): void {
    const message = `Cannot hand leadership to ${formatReplica(to)}: ${reason}`;
    this.context.outbox.emit({
      kind: "transferRefused",
      to,
      refusal: refusal(code, message, this.context.self),
    });
  }

  /** To be called at the end of every step: tells the target once it has flushed everything. */
  advance(leader: Leader): void {
    const { underWay } = this;
    if (underWay === undefined || underWay.told || leader.matchOf(underWay.to) < leader.last) return;
    underWay.told = true;
    this.lease.surrender();
    this.context.outbox.send(underWay.to, { kind: "takeOver", ballot: leader.ballot, through: leader.last });
  }

  onTick(leader: Leader): void {
    const { underWay } = this;
    if (underWay === undefined) return;
    if (this.context.now - underWay.since < this.context.options.electionTimeoutTicks / 2) return;
    this.underWay = undefined;
    leader.hold(false);
    this.refuse(underWay.to, "KHONSU_TRANSFER_TARGET_BEHIND", "it did not take over in time");
  }

  /** The leadership has ended, as wanted or otherwise. */
  end(): void {
    this.underWay = undefined;
  }
}
