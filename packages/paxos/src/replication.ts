/**
 * How a leader's entries get to the other members: what each has been sent and has said to be durable, what is sent again, and how they
 * hear of the decided index. One batch serves all peers that are at the same point.
 */
import type { Ballot } from "./ballot.ts";
import type { Context } from "./context.ts";
import { sizeOf } from "./entry.ts";
import type { Learner } from "./learner.ts";
import type { MessageOf } from "./message.ts";
import { Peer } from "./peer.ts";
import type { ReplicaId } from "./replica-id.ts";
import { NO_SLOT, type Slot, slotAfter } from "./slot.ts";

export class Replication {
  private readonly context: Context;
  private readonly learner: Learner;
  private readonly ballot: Ballot;
  private readonly peers = new Map<ReplicaId, Peer>();
  private batch: MessageOf<"accept"> | undefined;

  constructor(context: Context, learner: Learner, ballot: Ballot) {
    this.context = context;
    this.learner = learner;
    this.ballot = ballot;
    this.followConfiguration();
  }

  /** Up to where `replica` has said to be durable. */
  matchOf(replica: ReplicaId): Slot {
    return this.peers.get(replica)?.match ?? NO_SLOT;
  }

  /** The decided index that `replica` told last. */
  decidedOf(replica: ReplicaId): Slot {
    return this.peers.get(replica)?.decided ?? NO_SLOT;
  }

  /** Up to where each other member is durable. */
  get matched(): { replica: ReplicaId; through: Slot }[] {
    return [...this.peers.values()].map(({ replica, match }) => ({ replica, through: match }));
  }

  onAccepted(from: ReplicaId, message: MessageOf<"accepted">): void {
    this.peers.get(from)?.onAccepted(message.through, message.decided, this.context.now);
  }

  onHeard(from: ReplicaId): void {
    this.peers.get(from)?.heard(this.context.now);
  }

  /** Sends everybody what is in flight up to `proposed` and was not sent yet. */
  send(proposed: Slot): void {
    for (const peer of this.peers.values()) this.push(peer, proposed);
  }

  private push(peer: Peer, proposed: Slot): void {
    const { decided } = this.learner;
    if (peer.next <= decided) peer.next = slotAfter(decided);
    if (!peer.isResponsive(this.context.now)) return;
    while (peer.next <= proposed) {
      const message = this.batchFrom(peer.next, proposed);
      this.context.outbox.send(peer.replica, message);
      peer.sent(slotAfter(peer.next, message.entries.length), decided, this.context.now);
    }
  }

  /** The batch that starts at `first`; the same object for all peers that are at the same point. */
  private batchFrom(first: Slot, proposed: Slot): MessageOf<"accept"> {
    const { batch } = this;
    const { decided } = this.learner;
    if (batch?.first === first && batch.decided === decided && batch.first + batch.entries.length > proposed)
      return batch;
    const entries = this.context.log.slice(first, this.endOfBatch(first, proposed));
    this.batch = { kind: "accept", ballot: this.ballot, first, entries, decided };
    return this.batch;
  }

  private endOfBatch(first: Slot, proposed: Slot): Slot {
    const { batchBytesMax, batchEntriesMax } = this.context.options;
    const sizeAt = (at: Slot): number => sizeOf(this.context.log.entryAt(at));
    let last = first;
    let bytes = sizeAt(first);
    while (last < proposed && last - first + 1 < batchEntriesMax) {
      bytes += sizeAt(slotAfter(last));
      if (bytes > batchBytesMax) break;
      last = slotAfter(last);
    }
    return last;
  }

  /** Sends again what was not answered, and tells the decided index to whoever may not know it. */
  onTick(proposed: Slot): void {
    const { now, options } = this.context;
    const { decided } = this.learner;
    for (const peer of this.peers.values()) {
      if (!peer.isResponsive(now)) continue;
      peer.retry(now, options.retryTicks, proposed, decided);
      const news = peer.told < decided || peer.isUnsure(now, options.retryTicks, decided);
      if (news && peer.next > proposed) this.tellDecided(peer, proposed);
    }
  }

  private tellDecided(peer: Peer, proposed: Slot): void {
    const { decided } = this.learner;
    const { ballot } = this;
    const first = slotAfter(proposed);
    this.context.outbox.send(peer.replica, { kind: "accept", ballot, first, entries: [], decided });
    peer.wasTold(decided, this.context.now);
  }

  /** Tells all members the decided index now, for a leader that is about to go. */
  tellAll(proposed: Slot): void {
    for (const peer of this.peers.values()) this.tellDecided(peer, proposed);
  }

  /** Makes the peers those of the configuration, in ascending order. */
  followConfiguration(): void {
    const { configuration } = this.learner;
    const members = [
      ...(configuration?.voters ?? []),
      ...(configuration?.learners ?? []).map(({ replica }) => replica),
    ];
    for (const replica of this.peers.keys()) if (!members.includes(replica)) this.peers.delete(replica);
    const known = new Map(this.peers);
    this.peers.clear();
    for (const replica of members.sort((a, b) => a - b)) {
      if (replica === this.context.self) continue;
      const next = slotAfter(this.learner.decided);
      const patience = this.context.options.electionTimeoutTicks;
      this.peers.set(replica, known.get(replica) ?? new Peer(replica, next, this.context.now, patience));
    }
  }
}
