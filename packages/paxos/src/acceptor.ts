/**
 * The acceptor (*Paxos Made Simple* §2.2, P1a): promises ballots and accepts entries under the highest one promised. Whatever it
 * answers is released by the write that made it true (PX-3). An entry that it accepted and cannot read any more makes its slot
 * doubtful: it says so in its promises instead of claiming to have nothing there (PX-14).
 */
import { type Ballot, compareBallots, ZERO_BALLOT } from "./ballot.ts";
import { isIntact } from "./checksum.ts";
import type { Context } from "./context.ts";
import type { Entry } from "./entry.ts";
import { invariant } from "./errors.ts";
import type { AcceptedEntry, Message, MessageOf } from "./message.ts";
import type { ReplicaId } from "./replica-id.ts";
import { NO_SLOT, type Slot, slotAfter } from "./slot.ts";

export class Acceptor {
  private readonly context: Context;
  private promisedBallot: Ballot;
  /** Slots of which an accepted entry is unreadable. */
  private readonly doubts = new Set<Slot>();
  private readonly doubtBound: Ballot;
  /** Every slot above the leader's decided index and up to here was accepted under the promised ballot, or is decided here. */
  private acceptedThrough: Slot = NO_SLOT;

  /** Slots above `certain` and up to `lostThrough` were known here to be decided, and some of them cannot be read any more. */
  private readonly certain: Slot;
  private readonly lostThrough: Slot;
  /** Those of them that can be read: what they hold outranks whatever another acceptor reports. */
  private readonly vouched = new Set<Slot>();

  /** @param doubtful slots with unreadable entries, none of which has a ballot above `promised`. */
  constructor(
    context: Context,
    promised: Ballot,
    doubtful: readonly Slot[],
    certain: Slot = NO_SLOT,
    lostThrough: Slot = NO_SLOT,
  ) {
    this.context = context;
    this.promisedBallot = promised;
    this.doubtBound = promised;
    this.certain = certain;
    this.lostThrough = lostThrough;
    for (const at of doubtful) this.doubts.add(at);
    const first = Math.max(certain, context.log.trimmed) as Slot;
    for (let at = slotAfter(first); at <= lostThrough && at <= context.log.last; at = slotAfter(at))
      if (context.log.entryAt(at) !== undefined) this.vouched.add(at);
  }

  /**
   * The ballot that a promise reports for the entry in slot `at`: above all others if the slot is known here to be decided, also once the
   * entry has been accepted anew.
   */
  private reportedBallot(at: Slot): Ballot {
    if (!this.vouched.has(at)) return this.context.log.ballotAt(at) ?? ZERO_BALLOT;
    return { round: Number.MAX_SAFE_INTEGER, priority: 0, replica: this.context.self };
  }

  /** Whether this acceptor held an entry in slot `at` that it cannot read any more. */
  private isDoubtful(at: Slot): boolean {
    const isLost = at > this.certain && at <= this.lostThrough && this.context.log.entryAt(at) === undefined;
    return isLost || this.doubts.has(at);
  }

  get promised(): Ballot {
    return this.promisedBallot;
  }

  /** In ascending order. */
  get doubtful(): readonly Slot[] {
    return [...this.doubts].sort((a, b) => a - b);
  }

  /** Up to where the entries of the promised ballot have come without a gap. */
  get through(): Slot {
    return this.acceptedThrough;
  }

  /** Raises the promise; PX-4: it never goes down. */
  promise(ballot: Ballot): void {
    invariant(compareBallots(ballot, this.promisedBallot) > 0, "PX-4", "a promise only rises");
    this.promisedBallot = ballot;
    this.acceptedThrough = NO_SLOT;
    this.context.outbox.record({ kind: "promised", ballot });
  }

  /** Answers a prepare, with a promise that leaves once durable or with a nack. */
  onPrepare(from: ReplicaId, message: MessageOf<"prepare">, decided: Slot): void {
    const order = compareBallots(message.ballot, this.promisedBallot);
    if (order < 0) {
      this.refuse(from, message.ballot);
      return;
    }
    if (order > 0) this.promise(message.ballot);
    this.context.outbox.sendDurably(from, this.promiseFrom(message.from, decided));
  }

  private refuse(from: ReplicaId, ballot: Ballot): void {
    this.context.outbox.sendDurably(from, { kind: "nack", ballot, promised: this.promisedBallot });
  }

  /** What this acceptor accepted from slot `from` on and does not know to be decided, as much as one message holds. */
  promiseFrom(from: Slot, decided: Slot): MessageOf<"promise"> {
    const { batchBytesMax, batchEntriesMax } = this.context.options;
    const { log } = this.context;
    const entries: AcceptedEntry[] = [];
    const doubtful: Slot[] = [];
    const last = this.lastVoted;
    let through: Slot = NO_SLOT;
    let bytes = 0;
    for (let at = Math.max(from, decided + 1) as Slot; at <= last; at = slotAfter(at)) {
      const entry = log.entryAt(at);
      if (this.isDoubtful(at)) doubtful.push(at);
      else if (entry !== undefined) entries.push({ slot: at, ballot: this.reportedBallot(at), entry });
      bytes += entry?.kind === "command" ? entry.command.length : 0;
      if (at < last && (bytes >= batchBytesMax || entries.length + doubtful.length >= batchEntriesMax)) {
        through = at;
        break;
      }
    }
    const { promisedBallot: ballot, doubtBound } = this;
    return { kind: "promise", ballot, decided, from, through, entries, doubtful, doubtBound };
  }

  /** The highest slot that this acceptor voted in, readable or not. */
  private get lastVoted(): Slot {
    let last = Math.max(this.context.log.last, this.lostThrough) as Slot;
    for (const at of this.doubts) if (at > last) last = at;
    return last;
  }

  /**
   * Takes an accept: true if its ballot stands, false if it was refused.
   * The answer is not sent here, since the decided index that goes with it may still rise in this step.
   */
  onAccept(from: ReplicaId, message: MessageOf<"accept">, decided: Slot): boolean {
    const order = compareBallots(message.ballot, this.promisedBallot);
    if (order < 0) {
      this.refuse(from, message.ballot);
      return false;
    }
    for (let i = 0; i < message.entries.length; i++) {
      if (!isIntact(message.entries[i]!, slotAfter(message.first, i))) return false;
    }
    if (order > 0) this.promise(message.ballot);
    this.store(message.first, message.entries, decided);
    this.extend(message.decided, decided);
    return true;
  }

  /** The leader accepts its own entries, which follow everything it holds for its ballot. */
  acceptOwn(first: Slot, entries: readonly Entry[], decided: Slot): void {
    this.store(first, entries, decided);
    this.extend(slotAfter(first, -1), decided);
  }

  private store(first: Slot, entries: readonly Entry[], decided: Slot): void {
    const { log } = this.context;
    const ballot = this.promisedBallot;
    let runStart = 0;
    for (let i = 0; i < entries.length; i++) {
      const at = slotAfter(first, i);
      const entry = entries[i]!;
      if (at > decided && log.ballotAt(at) !== ballot && !this.isOutdated(at, entry)) {
        log.set(at, ballot, entry);
        if (this.doubts.size > 0) this.doubts.delete(at);
        continue;
      }
      this.compare(at, entry);
      this.recordRun(ballot, first, entries, runStart, i);
      runStart = i + 1;
    }
    this.recordRun(ballot, first, entries, runStart, entries.length);
  }

  private recordRun(
    ballot: Ballot,
    first: Slot,
    entries: readonly Entry[],
    start: number,
    end: number,
  ): void {
    if (start >= end) return;
    const run = start === 0 && end === entries.length ? entries : entries.slice(start, end);
    this.context.outbox.record({ kind: "accepted", ballot, first: slotAfter(first, start), entries: run });
  }

  /** Whether slot `at` is known here to be decided with another entry, so that a leader that was replaced still proposes this one. */
  private isOutdated(at: Slot, entry: Entry): boolean {
    return this.vouched.has(at) && this.context.log.entryAt(at)?.checksum !== entry.checksum;
  }

  /**
   * PX-1, PX-6: what was accepted here and is decided, or was accepted under this very ballot, cannot be proposed with another value. What was
   * learned can: it may have been chosen under a ballot that this acceptor has not promised, and a leader of a lower one, which was
   * replaced and does not know it, may propose something else. That is not stored, and cannot be chosen any more.
   */
  private compare(at: Slot, entry: Entry): void {
    const { log } = this.context;
    const ballot = log.ballotAt(at);
    const isLearned = ballot?.round === 0 || (this.vouched.has(at) && ballot !== this.promisedBallot);
    if (isLearned) return;
    const here = log.entryAt(at);
    invariant(
      here === undefined || here.checksum === entry.checksum,
      "PX-1",
      `two values are proposed for slot ${at}`,
    );
  }

  /** Moves `acceptedThrough` over what is there without a gap; slots that the leader knows to be decided do not matter. */
  private extend(leaderDecided: Slot, decided: Slot): void {
    const { log } = this.context;
    let through = Math.max(this.acceptedThrough, leaderDecided, decided) as Slot;
    while (log.ballotAt(slotAfter(through)) === this.promisedBallot) through = slotAfter(through);
    this.acceptedThrough = through;
  }

  /** The decided index as told by the leader of the promised ballot, as far as its entries are here (PX-8). */
  decidedBy(ballot: Ballot, leaderDecided: Slot, decided: Slot): Slot {
    if (compareBallots(ballot, this.promisedBallot) !== 0) return decided;
    let through = decided;
    while (through < leaderDecided && this.context.log.ballotAt(slotAfter(through)) === this.promisedBallot) {
      through = slotAfter(through);
    }
    return through;
  }

  /** A decided entry has come from another replica. It counts as a vote for nothing: no promise reports decided slots. */
  learn(at: Slot, entry: Entry): void {
    this.context.log.set(at, ZERO_BALLOT, entry);
    this.doubts.delete(at);
  }

  /** Everything up to `through` is covered by an image. */
  forget(through: Slot): void {
    for (const at of this.doubts) if (at <= through) this.doubts.delete(at);
  }

  answerAccept(from: ReplicaId, decided: Slot): void {
    const through = Math.max(this.acceptedThrough, decided) as Slot;
    const answer: Message = { kind: "accepted", ballot: this.promisedBallot, through, decided };
    this.context.outbox.sendDurably(from, answer);
  }
}
