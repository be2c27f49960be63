/**
 * Carries phase 1 of one ballot through: promises the ballot itself first, asks every voter and asks again, and tells when the
 * proposer may go on to phase 2. A prepare leaves only once the ballot is durable here, so that a crash never lets the same ballot be
 * used for a second leadership (PX-2).
 */
import type { Acceptor } from "./acceptor.ts";
import type { Ballot } from "./ballot.ts";
import type { Configuration } from "./configuration.ts";
import type { Context } from "./context.ts";
import type { WriteId } from "./effect.ts";
import type { Learner } from "./learner.ts";
import type { MessageOf } from "./message.ts";
import { Proposer } from "./proposer.ts";
import type { ReplicaId } from "./replica-id.ts";
import { slotAfter } from "./slot.ts";

export class Campaign {
  readonly proposer: Proposer;
  private readonly context: Context;
  private readonly acceptor: Acceptor;
  private readonly learner: Learner;
  private readonly transfer: boolean;
  private readonly promisedBy: WriteId;
  private askedAt: number;
  private progressAt: number;

  /** @param transfer whether the leader before handed over on purpose. */
  constructor(context: Context, acceptor: Acceptor, learner: Learner, ballot: Ballot, transfer: boolean) {
    this.context = context;
    this.acceptor = acceptor;
    this.learner = learner;
    this.transfer = transfer;
    this.proposer = new Proposer(ballot, slotAfter(learner.decided));
    acceptor.promise(ballot);
    this.promisedBy = context.outbox.barrier;
    this.askedAt = context.now;
    this.progressAt = context.now;
    this.ask();
  }

  get ballot(): Ballot {
    return this.proposer.ballot;
  }

  /** Ticks since anything came of it. */
  get idleTicks(): number {
    return this.context.now - this.progressAt;
  }

  touch(): void {
    this.progressAt = this.context.now;
  }

  /** Asks every voter that has not answered for all slots. */
  ask(): void {
    this.askedAt = this.context.now;
    for (const voter of this.learner.configuration?.voters ?? []) this.askOne(voter);
  }

  private askOne(voter: ReplicaId): void {
    const from = this.proposer.nextFor(voter);
    if (voter === this.context.self || from === undefined) return;
    const { ballot, transfer } = this;
    this.context.outbox.sendDurably(voter, { kind: "prepare", ballot, from, transfer });
  }

  onPromise(from: ReplicaId, message: MessageOf<"promise">): void {
    if (!this.proposer.onPromise(from, message)) return;
    this.touch();
    this.askOne(from);
  }

  /** Counts the replica's own promise, once it is durable (PX-3). */
  onPersisted(): void {
    if (this.context.outbox.durable < this.promisedBy) return;
    const { self } = this.context;
    for (let from = this.proposer.nextFor(self); from !== undefined; from = this.proposer.nextFor(self)) {
      this.proposer.onPromise(self, this.acceptor.promiseFrom(from, this.learner.decided));
    }
  }

  onTick(): void {
    if (this.context.now - this.askedAt >= this.context.options.retryTicks) this.ask();
  }

  /** Whether all that the promises tell is known here, and phase 1 is complete for every slot after. */
  isComplete(configuration: Configuration): boolean {
    const { decided, applied, restoring } = this.learner;
    if (restoring || applied < decided || decided < this.proposer.decided) return false;
    return this.proposer.isPreparedFrom(slotAfter(decided), configuration);
  }
}
