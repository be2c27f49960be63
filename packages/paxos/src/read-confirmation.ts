/**
 * How the leader has its reads confirmed: it asks the voters whether they still follow it, and lets the reads go once an accept quorum
 * has said so, or at once while it holds a lease (PX-17, PX-18). `reads` keeps who waits.
 */
import type { Context } from "./context.ts";
import { type Refusal, type RefusalCode, refusal } from "./errors.ts";
import type { Leader } from "./leader.ts";
import type { Learner } from "./learner.ts";
import type { Lease } from "./lease.ts";
import { isAcceptQuorum } from "./quorum.ts";
import type { Reads } from "./reads.ts";
import { formatReplica, type ReplicaId } from "./replica-id.ts";

export class ReadConfirmation {
  private readonly context: Context;
  private readonly learner: Learner;
  private readonly reads: Reads;
  private readonly lease: Lease;

  constructor(context: Context, learner: Learner, reads: Reads, lease: Lease) {
    this.context = context;
    this.learner = learner;
    this.reads = reads;
    this.lease = lease;
  }

  /** Takes a read of this replica's, or refuses it. */
  request(id: number, retired: boolean, known: ReplicaId | undefined): void {
    const { outbox, now, self } = this.context;
    const code = retired ? "KHONSU_REPLICA_STOPPED" : this.reads.isFull ? "KHONSU_OVERLOADED" : undefined;
    if (code === undefined) {
      this.reads.add({ kind: "own", id, since: now });
      return;
    }
    const message = `replica ${formatReplica(self)} has ${this.reads.length} reads waiting`;
    outbox.emit({ kind: "readRefused", id, refusal: cannotServe(code, message, known) });
  }

  /** To be called at the end of every step of a leader: confirms those who wait, all at once. */
  confirm(leader: Leader): void {
    const { configuration, decided } = this.learner;
    if (!leader.established || configuration === undefined) return;
    if (this.lease.held) this.reads.answerWaiting(decided);
    const sequence = this.reads.beginConfirmation(decided, this.lease.isDue);
    if (sequence === undefined) return;
    this.ask(leader, sequence);
    this.onConfirmed(this.context.self, sequence);
  }

  /** Asks again if the answers are late. */
  repeat(leader: Leader): void {
    const sequence = this.reads.retryConfirmation();
    if (sequence !== undefined) this.ask(leader, sequence);
  }

  private ask(leader: Leader, sequence: number): void {
    for (const voter of this.learner.configuration?.voters ?? []) {
      if (voter === this.context.self) continue;
      this.context.outbox.send(voter, { kind: "confirm", ballot: leader.ballot, sequence });
    }
  }

  onConfirmed(from: ReplicaId, sequence: number): void {
    const confirmation = this.reads.onConfirmed(from, sequence);
    const { configuration } = this.learner;
    if (confirmation === undefined || configuration === undefined) return;
    if (!isAcceptQuorum(configuration, confirmation.confirmedBy)) return;
    this.lease.extend(confirmation.begunAt);
    this.reads.completeConfirmation();
  }
}

export function cannotServe(code: RefusalCode, reason: string, known: ReplicaId | undefined): Refusal {
  return refusal(code, `Cannot serve: ${reason}`, known);
}
