/**
 * Phase 2: the leader first proposes again what phase 1 reported, filling gaps with no-ops, then a no-op of its own, then what
 * clients want; pipelined, in batches. A slot is decided once an accept quorum of the configuration has it durably under the
 * leader's ballot, the leader itself counted only when flushed (PX-8).
 *
 * A membership entry drains the pipeline before it and stops it behind it (PX-11): the configuration of a slot is known when
 * the slot is proposed. After one that was recovered, phase 1 is completed under the new configuration before going on.
 */
import type { Acceptor } from "./acceptor.ts";
import type { Ballot } from "./ballot.ts";
import type { Campaign } from "./campaign.ts";
import type { Configuration } from "./configuration.ts";
import type { Context } from "./context.ts";
import type { WriteId } from "./effect.ts";
import {
  type Entry,
  noOp,
  type Proposal,
  type ProposalId,
  sealCommand,
  sealMembership,
  sizeOf,
} from "./entry.ts";
import { invariant } from "./errors.ts";
import type { Learner } from "./learner.ts";
import type { MessageOf } from "./message.ts";
import { ProposalIds } from "./proposal-ids.ts";
import { ProposalQueue } from "./proposal-queue.ts";
import { reachedByAcceptQuorum } from "./quorum.ts";
import type { ReplicaId } from "./replica-id.ts";
import { Replication } from "./replication.ts";
import { NO_SLOT, type Slot, slotAfter } from "./slot.ts";

export class Leader {
  readonly campaign: Campaign;
  readonly queue: ProposalQueue;
  /** In the queue or in flight. */
  private readonly pending = new ProposalIds();
  private readonly context: Context;
  private readonly acceptor: Acceptor;
  private readonly learner: Learner;
  private readonly replication: Replication;
  /** The last slot that this leader proposed, or knows to be decided. */
  private proposed: Slot;
  /** The slot of this leader's own no-op; 0 until everything recovered is proposed. */
  private openedAt: Slot = NO_SLOT;
  /** The slot of a membership entry that is proposed and not decided; 0 if there is none. */
  private gate: Slot = NO_SLOT;
  private pendingConfiguration: Configuration | undefined;
  /** No new proposals are taken from the queue. */
  private held = false;
  private inFlightBytes = 0;
  /** Up to here the bytes in flight have been given back. */
  private settled: Slot;
  private ownThrough: Slot = NO_SLOT;
  /** Writes under way that carry own entries, and the slot up to which each makes them durable. */
  private readonly flushes: { readonly write: WriteId; readonly through: Slot }[] = [];

  constructor(context: Context, acceptor: Acceptor, learner: Learner, campaign: Campaign) {
    this.context = context;
    this.acceptor = acceptor;
    this.learner = learner;
    this.campaign = campaign;
    this.queue = new ProposalQueue(context.options);
    this.proposed = learner.decided;
    this.settled = learner.decided;
    this.replication = new Replication(context, learner, campaign.ballot);
  }

  get ballot(): Ballot {
    return this.campaign.ballot;
  }

  get inFlight(): number {
    return this.proposed - this.learner.decided;
  }

  /** The last slot proposed. */
  get last(): Slot {
    return this.proposed;
  }

  /** Whether an entry of this leader's own ballot is decided: from then on its decided index is current. */
  get established(): boolean {
    return this.openedAt !== NO_SLOT && this.learner.decided >= this.openedAt;
  }

  get membershipUnderWay(): boolean {
    return this.pendingConfiguration !== undefined || this.gate > this.learner.decided;
  }

  /** Up to where `replica` is durable, as far as this leader knows. */
  matchOf(replica: ReplicaId): Slot {
    return replica === this.context.self ? this.ownThrough : this.replication.matchOf(replica);
  }

  /** How many decided slots `replica` is known to lack at most. */
  lagOf(replica: ReplicaId): number {
    return this.learner.decided - this.replication.decidedOf(replica);
  }

  /** Takes a proposal, unless it is on its way already; false when the queue is full. */
  take(proposal: Proposal): boolean {
    if (this.pending.has(proposal)) return true;
    if (!this.queue.push(proposal)) return false;
    this.pending.add(proposal);
    return true;
  }

  /** The proposal was decided. */
  forget(proposal: ProposalId): void {
    this.pending.delete(proposal);
  }

  /** Stops, or starts again, taking proposals from the queue. */
  hold(held: boolean): void {
    this.held = held;
  }

  /** Proposes `configuration` as soon as nothing else is in flight. */
  changeMembership(configuration: Configuration): void {
    invariant(
      this.established && !this.membershipUnderWay,
      "PX-11",
      "one membership change at a time, after an own entry",
    );
    this.pendingConfiguration = configuration;
  }

  /** Proposes what can be proposed and sends what has not been sent. To be called at the end of every step. */
  advance(): void {
    this.settle();
    if (this.openedAt === NO_SLOT) this.recover();
    else this.proposeNew();
    this.replication.send(this.proposed);
  }

  /** Proposes what phase 1 reported, up to and including the first membership entry; at its end, the own no-op. */
  private recover(): void {
    const { configuration } = this.learner;
    if (configuration === undefined || this.gate > this.learner.decided) return;
    const { proposer } = this.campaign;
    const entries: Entry[] = [];
    let at = slotAfter(this.proposed);
    for (; at <= proposer.last && proposer.isPreparedAt(at, configuration); at = slotAfter(at)) {
      const entry = proposer.valueAt(at) ?? noOp(at);
      entries.push(entry);
      if (entry.kind === "membership") {
        this.gate = at;
        break;
      }
    }
    if (at > proposer.last && proposer.isPreparedAt(at, configuration)) {
      entries.push(noOp(at));
      this.openedAt = at;
    }
    if (entries.length > 0) this.append(entries);
    else this.campaign.onTick();
  }

  private proposeNew(): void {
    if (this.gate > this.learner.decided) return;
    if (this.pendingConfiguration !== undefined) {
      this.proposeConfiguration(this.pendingConfiguration);
      return;
    }
    const { batchBytesMax, batchEntriesMax, inFlightBytesMax, inFlightEntriesMax } = this.context.options;
    while (this.queue.length > 0 && !this.held) {
      const entriesRoom = Math.min(batchEntriesMax, inFlightEntriesMax - this.inFlight);
      const bytesRoom = Math.min(batchBytesMax, inFlightBytesMax - this.inFlightBytes);
      const taken = this.queue.take(entriesRoom, bytesRoom);
      if (taken.length === 0) return;
      const first = slotAfter(this.proposed);
      this.append(taken.map((proposal, i) => sealCommand(proposal, slotAfter(first, i))));
    }
  }

  private proposeConfiguration(configuration: Configuration): void {
    if (this.inFlight > 0) return;
    this.pendingConfiguration = undefined;
    const at = slotAfter(this.proposed);
    this.gate = at;
    this.append([sealMembership(configuration, at)]);
  }

  private append(entries: readonly Entry[]): void {
    const first = slotAfter(this.proposed);
    this.acceptor.acceptOwn(first, entries, this.learner.decided);
    this.proposed = slotAfter(this.proposed, entries.length);
    for (const entry of entries) this.inFlightBytes += sizeOf(entry);
    this.flushes.push({ write: this.context.outbox.barrier, through: this.proposed });
  }

  onAccepted(from: ReplicaId, message: MessageOf<"accepted">): void {
    this.replication.onAccepted(from, message);
    this.decide();
  }

  onHeard(from: ReplicaId): void {
    this.replication.onHeard(from);
  }

  onPersisted(): void {
    while (this.flushes.length > 0 && this.flushes[0]!.write <= this.context.outbox.durable) {
      this.ownThrough = this.flushes.shift()!.through;
    }
    this.decide();
  }

  private decide(): void {
    const { configuration, decided } = this.learner;
    if (configuration === undefined) return;
    const reached = reachedByAcceptQuorum(configuration, (voter) => this.matchOf(voter));
    const through = Math.min(reached, this.proposed) as Slot;
    if (through <= decided) return;
    this.learner.decide(through);
  }

  /** Gives back the bytes of what was decided since the last call. */
  private settle(): void {
    const through = Math.min(this.learner.decided, this.proposed) as Slot;
    while (this.settled < through) {
      this.settled = slotAfter(this.settled);
      this.inFlightBytes -= sizeOf(this.context.log.entryAt(this.settled));
    }
    if (this.proposed < this.learner.decided) this.proposed = this.settled = this.learner.decided;
  }

  onTick(): void {
    this.replication.onTick(this.proposed);
  }

  /** Tells all members the decided index now, for a leader that is about to go. */
  tellAll(): void {
    this.replication.tellAll(this.proposed);
  }

  /** Follows the members of the configuration in force. */
  followConfiguration(): void {
    this.replication.followConfiguration();
  }

  /** Up to where each other member is durable. */
  get matched(): { replica: ReplicaId; through: Slot }[] {
    return this.replication.matched;
  }
}
