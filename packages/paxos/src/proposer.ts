/**
 * Phase 1 of one ballot (*Paxos Made Simple* §2.2, P2c; one phase 1 for all slots, *Paxos Made Moderately Complex*). Gathers promises,
 * slot by slot, until for each slot the acceptors that answered for it hold a prepare quorum of the configuration that
 * governs it, and names the value to propose: that of the highest ballot reported, or none.
 */
import { type Ballot, compareBallots, sameBallot, ZERO_BALLOT } from "./ballot.ts";
import type { Configuration } from "./configuration.ts";
import type { Entry } from "./entry.ts";
import { invariant } from "./errors.ts";
import type { MessageOf } from "./message.ts";
import { isPrepareQuorum } from "./quorum.ts";
import type { ReplicaId } from "./replica-id.ts";
import { NO_SLOT, type Slot, slotAfter } from "./slot.ts";

/** What one acceptor has answered so far. */
interface Answer {
  /** The highest decided index that it told. */
  decided: Slot;
  /** The first slot that it has not answered for; 0 once it has answered for all. */
  next: Slot;
  readonly doubtful: Set<Slot>;
  readonly doubtBound: Ballot;
}

interface Report {
  readonly ballot: Ballot;
  readonly entry: Entry;
}

export class Proposer {
  readonly ballot: Ballot;
  /** The first slot that this phase 1 asks about. */
  readonly from: Slot;
  private readonly answers = new Map<ReplicaId, Answer>();
  private readonly reports = new Map<Slot, Report>();
  private highest: Slot = NO_SLOT;

  constructor(ballot: Ballot, from: Slot) {
    this.ballot = ballot;
    this.from = from;
  }

  /** The next slot to ask `acceptor` for; undefined once it has answered for all. */
  nextFor(acceptor: ReplicaId): Slot | undefined {
    const answer = this.answers.get(acceptor);
    if (answer === undefined) return this.from;
    return answer.next === NO_SLOT ? undefined : answer.next;
  }

  /** Takes a promise. Returns whether it was of use: one that is repeated, stale or out of turn is not (PX-5). */
  onPromise(from: ReplicaId, message: MessageOf<"promise">): boolean {
    if (!sameBallot(message.ballot, this.ballot)) return false;
    const { decided, doubtBound } = message;
    const answer = this.answers.get(from) ?? { decided, next: this.from, doubtful: new Set(), doubtBound };
    if (answer.next === NO_SLOT || message.from !== answer.next) return false;
    this.answers.set(from, answer);
    if (decided > answer.decided) answer.decided = decided;
    for (const { slot, ballot, entry } of message.entries) this.report(slot, ballot, entry);
    for (const at of message.doubtful) answer.doubtful.add(at);
    for (const at of message.doubtful) if (at > this.highest) this.highest = at;
    answer.next = message.through === NO_SLOT ? NO_SLOT : slotAfter(message.through);
    return true;
  }

  private report(at: Slot, ballot: Ballot, entry: Entry): void {
    const known = this.reports.get(at);
    const order = known === undefined ? 1 : compareBallots(ballot, known.ballot);
    if (order === 0) {
      invariant(
        known?.entry.checksum === entry.checksum,
        "PX-6",
        `two values were accepted in slot ${at} under one ballot`,
      );
    }
    if (order > 0) this.reports.set(at, { ballot, entry });
    if (at > this.highest) this.highest = at;
  }

  /** The highest decided index among the acceptors: the proposer must know all of that before it proposes. */
  get decided(): Slot {
    let decided: Slot = NO_SLOT;
    for (const answer of this.answers.values()) if (answer.decided > decided) decided = answer.decided;
    return decided;
  }

  /** Who told a decided index of at least `at`, in ascending order. */
  knowing(at: Slot): ReplicaId[] {
    const knowing = [...this.answers]
      .filter(([, answer]) => answer.decided >= at)
      .map(([replica]) => replica);
    return knowing.sort((a, b) => a - b);
  }

  /** The highest slot in which anything was, or may have been, accepted. */
  get last(): Slot {
    return this.highest;
  }

  /**
   * Whether phase 1 is complete for slot `at`, which `configuration` governs: a prepare quorum has answered for it, counting
   * only acceptors that know what they accepted there (PX-14). One that does not know counts all the same once another
   * reports a ballot no lower than any it can have accepted: its entry then is that one or an older one.
   */
  isPreparedAt(at: Slot, configuration: Configuration): boolean {
    if (at <= this.decided) return false;
    const reported = this.reports.get(at)?.ballot ?? ZERO_BALLOT;
    const definite = new Set<ReplicaId>();
    for (const [replica, answer] of this.answers) {
      const answered = answer.next === NO_SLOT || at < answer.next;
      const known = !answer.doubtful.has(at) || compareBallots(reported, answer.doubtBound) >= 0;
      if (answered && known) definite.add(replica);
    }
    return isPrepareQuorum(configuration, definite);
  }

  /** Whether phase 1 is complete for `first` and every later slot, if `configuration` governs them. */
  isPreparedFrom(first: Slot, configuration: Configuration): boolean {
    const clear = [...this.answers].filter(
      ([, answer]) => answer.next === NO_SLOT && answer.doubtful.size === 0,
    );
    const quorum = isPrepareQuorum(configuration, new Set(clear.map(([replica]) => replica)));
    if (quorum) return first > this.decided;
    for (let at = first; at <= this.highest; at = slotAfter(at))
      if (!this.isPreparedAt(at, configuration)) return false;
    return this.isPreparedAt(slotAfter(Math.max(this.highest, first - 1) as Slot), configuration);
  }

  /** The entry that slot `at` must be proposed with, the one reported with the highest ballot; undefined if it is free (P2c). */
  valueAt(at: Slot): Entry | undefined {
    return this.reports.get(at)?.entry;
  }
}
