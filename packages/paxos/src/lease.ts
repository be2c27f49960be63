/**
 * The optional leader lease: an acceptor that confirms a leader refuses any other for `leaseTicks` of its own; the leader counts on a
 * shorter time from before it asked, shorter by the stated drift and by the tick that either side's clock may be into. Then it
 * serves reads without asking. Rests on clock rates and so is off by default; nothing else does (PX-18).
 */
import type { Ballot } from "./ballot.ts";
import type { Context } from "./context.ts";

export class Lease {
  private readonly context: Context;
  /** As an acceptor: no other than `grantedTo` is promised anything before this tick. */
  private grantedUntil: number;
  private grantedTo: Ballot | undefined;
  /** As a leader: reads may be served before this tick. */
  private heldUntil = 0;
  private surrendered = false;

  /** @param restarted whether grants made before a restart may still be out. */
  constructor(context: Context, restarted: boolean) {
    this.context = context;
    this.grantedUntil = restarted ? context.options.lease.leaseTicks : 0;
  }

  get enabled(): boolean {
    return this.context.options.lease.leaseTicks > 0;
  }

  /** The acceptor confirms the leader of `ballot`. */
  grant(ballot: Ballot): void {
    if (!this.enabled) return;
    this.grantedTo = ballot;
    this.grantedUntil = this.context.now + this.context.options.lease.leaseTicks + 1;
  }

  /** Whether a grant to another keeps this acceptor from promising `ballot`. */
  forbids(ballot: Ballot): boolean {
    return this.context.now < this.grantedUntil && this.grantedTo?.replica !== ballot.replica;
  }

  /** An accept quorum confirmed what the leader asked at tick `askedAt`. */
  extend(askedAt: number): void {
    if (!this.enabled || this.surrendered) return;
    const { leaseTicks, clockDriftMax } = this.context.options.lease;
    const until = askedAt + Math.floor((leaseTicks - 1) / (1 + clockDriftMax));
    if (until > this.heldUntil) this.heldUntil = until;
  }

  get held(): boolean {
    return this.enabled && this.context.now < this.heldUntil;
  }

  /** Whether the leader should ask again, so as not to let the lease run out. */
  get isDue(): boolean {
    return (
      this.enabled &&
      !this.surrendered &&
      this.context.now + this.context.options.lease.leaseTicks / 2 >= this.heldUntil
    );
  }

  /** A leadership begins. */
  begin(): void {
    this.heldUntil = 0;
    this.surrendered = false;
  }

  /** The leader gives the lease up for the rest of its leadership: acceptors may promise whom it hands over to at any time. */
  surrender(): void {
    this.heldUntil = 0;
    this.surrendered = true;
  }
}
