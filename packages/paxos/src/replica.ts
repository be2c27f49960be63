/**
 * A replica: inputs in, effects out. Composes the roles, each of which owns its slice of the state, and keeps the order in
 * which they see a step: first whoever the input is for, then delivery of what became decided, then what may be proposed, sent
 * or answered because of it. No promise, timer, clock, randomness or I/O: equal inputs give equal effects.
 */

import type { Acceptor } from "./acceptor.ts";
import type { Recovered } from "./acceptor-storage.ts";
import { type Ballot, compareBallots, sameBallot, ZERO_BALLOT } from "./ballot.ts";
import { Campaign } from "./campaign.ts";
import { CatchUp } from "./catch-up.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { crc32c } from "./checksum.ts";
import type { Configuration } from "./configuration.ts";
import type { Context } from "./context.ts";
import type { Effect, WriteId } from "./effect.ts";
import type { DecidedEntry, Entry } from "./entry.ts";
import { invariant, PaxosError, type PaxosErrorCode, type RefusalCode, refusal } from "./errors.ts";
import { ImageTransfer } from "./image-transfer.ts";
import type { Input, InputKind, InputOf } from "./input.ts";
import { Leader } from "./leader.ts";
import { LeaderElection } from "./leader-election.ts";
import type { Learner } from "./learner.ts";
import { Lease } from "./lease.ts";
import { isLearner, isMember, isRetired, isVoter, membersOf } from "./membership.ts";
import { MembershipChanges } from "./membership-changes.ts";
import type { MessageKind, MessageOf, Standing } from "./message.ts";
import type { ReplicaOptions } from "./options.ts";
import { Proposals } from "./proposals.ts";
import { isAcceptQuorum } from "./quorum.ts";
import { Reads } from "./reads.ts";
import { formatReplica, type ReplicaId } from "./replica-id.ts";
import { NO_SLOT, type Slot, slotAfter } from "./slot.ts";
import { startUp } from "./startup.ts";
import type { BriefStatus, Role, Status } from "./status.ts";
import { Transfer } from "./transfer.ts";

type InputHandlers = { readonly [K in InputKind]: (input: InputOf<K>) => void };
type MessageHandlers = { readonly [K in MessageKind]: (from: ReplicaId, message: MessageOf<K>) => void };

/** One run of one replica of one group; after a crash make a new one from what storage recovered. */
export class Replica {
  private readonly context: Context;
  private readonly acceptor: Acceptor;
  private readonly learner: Learner;
  private readonly election: LeaderElection;
  private readonly proposals: Proposals;
  private readonly reads: Reads;
  private readonly lease: Lease;
  private readonly catchUp: CatchUp;
  private readonly images: ImageTransfer;
  private readonly transfer: Transfer;
  private readonly membership: MembershipChanges;
  private readonly recovered: { readonly genesis: Configuration | undefined; readonly run: number };
  private campaign: Campaign | undefined;
  private leader: Leader | undefined;
  private checkpoint: Checkpoint | undefined;
  /** The write that makes `checkpoint` the current one on disk. */
  private adoptedBy = 0 as WriteId;
  /** The write after which the state machine is to be replaced by `checkpoint`. */
  private restoreAfter: WriteId | undefined;
  /** What the disk says the chain checksum is at some slot, until that slot is applied. */
  private expectedChain: { readonly slot: Slot; readonly chain: number } | undefined;
  private recordedDecided: Slot;
  private announced: Ballot = ZERO_BALLOT;
  private seenPromise: Ballot;
  private started = false;
  private retired = false;
  /** Whether this replica votes at all (PX-12). */
  private admitted: boolean;
  /** The decided index of the first leader heard of, up to which a replica that joins must catch up before it is admitted. */
  private admissionAt: Slot | undefined;
  private fence: { readonly code: PaxosErrorCode; readonly message: string } | undefined;

  /**
   * @param recovered what `AcceptorStorage.recover` returned, or `EMPTY_DISK`.
   * @throws PaxosError `KHONSU_INVALID_OPTION`, `KHONSU_IDENTITY_MISMATCH` or `KHONSU_STORAGE_CORRUPT`.
   */
  constructor(options: ReplicaOptions, recovered: Recovered) {
    const parts = startUp(options, recovered, {
      delivered: (entries) => this.onDelivered(entries),
      configured: () => this.onConfigured(),
    });
    const { context } = parts;
    this.context = context;
    this.acceptor = parts.acceptor;
    this.learner = parts.learner;
    this.checkpoint = parts.checkpoint;
    this.recovered = { genesis: parts.genesis, run: recovered.run + 1 };
    this.recordedDecided = recovered.decided;
    this.seenPromise = recovered.promised;
    this.admitted = recovered.admitted || (recovered.replica === undefined && parts.genesis !== undefined);
    if (recovered.chain !== 0) this.expectedChain = { slot: recovered.decided, chain: recovered.chain };
    this.election = new LeaderElection(context);
    this.election.noteBallot(recovered.promised);
    this.proposals = new Proposals(context, parts.learner.sessions);
    this.reads = new Reads(context, this.recovered.run);
    this.lease = new Lease(context, parts.restarted);
    this.catchUp = new CatchUp(context, parts.learner);
    this.images = new ImageTransfer(context, recovered.staged);
    this.transfer = new Transfer(context, this.lease);
    this.membership = new MembershipChanges(context, parts.learner, this.transfer);
  }

  /**
   * To be called once, before any `step`, with the state machine being the image of `recovered.checkpoint`, or new if
   * `recovered.preface` is undefined. Delivers what the disk knows to be decided.
   */
  start(): readonly Effect[] {
    invariant(!this.started, "PX-7", "a replica is started once");
    this.started = true;
    this.recordIdentity();
    return this.guarded(() => {});
  }

  private recordIdentity(): void {
    const { genesis, run } = this.recovered;
    const { admitted } = this;
    this.context.outbox.record({ kind: "identity", replica: this.context.self, genesis, run, admitted });
  }

  /**
   * Takes one input and returns what is to be done, in order.
   * @throws PaxosError `KHONSU_INVARIANT_VIOLATED`: nothing of the step leaves, and the replica is fenced.
   */
  step(input: Input): readonly Effect[] {
    invariant(this.started, "PX-7", "a replica is started before its first step");
    return this.guarded(() => (this.onInput[input.kind] as (input: Input) => void)(input));
  }

  private guarded(work: () => void): readonly Effect[] {
    if (this.fence !== undefined) return [];
    try {
      work();
      if (this.fence === undefined) this.finish();
    } catch (error) {
      if (!(error instanceof PaxosError)) throw error;
      this.stop(error.code, error.message);
      if (error.code === "KHONSU_INVARIANT_VIOLATED") throw error;
    }
    return this.context.outbox.take(this.context.now);
  }

  /** Fences the replica: it does nothing ever after, and says so (design, §4). */
  private stop(code: PaxosErrorCode, message: string): void {
    this.fence = { code, message };
    this.context.outbox.discard();
    this.context.outbox.emit({ kind: "fenced", code, message });
  }

  /** What follows from whatever the input was. */
  private finish(): void {
    this.giveWay();
    this.learner.deliver();
    this.checkChain();
    if (!this.admitted) this.seekAdmission();
    const { configuration } = this.learner;
    if (configuration !== undefined && this.campaign?.isComplete(configuration))
      this.becomeLeader(this.campaign);
    if (this.leader !== undefined) this.lead(this.leader);
    else this.follow();
    this.reads.release(this.learner.applied);
    this.announceLeader();
    this.recordDecided();
    this.assertOrder();
  }

  private lead(leader: Leader): void {
    leader.advance();
    this.transfer.advance(leader);
    this.confirmReads(leader);
  }

  private follow(): void {
    const leader = this.knownLeader;
    if (leader === undefined || leader === this.context.self) return;
    this.proposals.forward(leader);
    this.reads.ask(leader);
  }

  // --- inputs ---

  private readonly onInput: InputHandlers = {
    tick: ({ ticks = 1 }) => this.onTick(ticks),
    received: ({ from, to, message }) => {
      if (to !== this.context.self || from === to || this.retired) return;
      if (isRetired(this.learner.configuration, from))
        return this.context.outbox.send(from, { kind: "retired" });
      this.leader?.onHeard(from);
      (this.onMessage[message.kind] as (from: ReplicaId, message: MessageOf<MessageKind>) => void)(
        from,
        message,
      );
    },
    proposed: ({ proposals }) => {
      for (const proposal of proposals)
        this.proposals.propose(proposal, this.leader, this.knownLeader, this.retired);
    },
    persisted: ({ write }) => this.onPersisted(write),
    storageFailed: ({ message }) => this.stop("KHONSU_STORAGE_FAILED", message),
    readRequested: ({ id }) => this.onReadRequested(id),
    transferRequested: ({ to }) => this.onTransferRequested(to),
    membershipRequested: ({ change }) => this.membership.request(change, this.leader, this.knownLeader),
    checkpointTaken: ({ slot, size, checksum }) => this.onCheckpointTaken(slot, size, checksum),
    chunkRead: ({ to, slot, offset, bytes }) => this.onChunkRead(to, slot, offset, bytes),
    restored: ({ slot, preface }) => {
      if (this.learner.endRestore(slot, preface)) this.onConfigured();
    },
  };

  private onTick(ticks: number): void {
    this.context.now += ticks;
    this.context.outbox.settle();
    if (this.election.isRoundOver) this.endRound();
    this.leader?.onTick();
    if (this.leader !== undefined) {
      this.transfer.onTick(this.leader);
      this.membership.promoteLearner(this.leader);
      this.repeatConfirmation(this.leader);
    }
    this.tickCampaign();
    this.catchUp.onTick(this.knownLeader);
    this.images.onTick();
    this.proposals.onTick(this.knownLeader);
    const { proposalTimeoutTicks } = this.context.options;
    this.reads.expire(proposalTimeoutTicks, () =>
      this.refuse("KHONSU_NOT_LEADER", "no leader confirmed the read in time"),
    );
  }

  private tickCampaign(): void {
    const { campaign } = this;
    if (campaign === undefined) return;
    if (this.catchUp.isBehind) this.catchUp.ask(this.sourceForCampaign(campaign));
    if (this.images.active || this.learner.restoring) campaign.touch();
    if (campaign.idleTicks < this.context.options.electionTimeoutTicks) {
      campaign.onTick();
      return;
    }
    this.election.backOff();
    this.resign();
  }

  private onPersisted(write: WriteId): void {
    const { outbox } = this.context;
    outbox.onPersisted(write);
    this.campaign?.onPersisted();
    this.leader?.onPersisted();
    if (
      this.restoreAfter !== undefined &&
      outbox.durable >= this.restoreAfter &&
      this.checkpoint !== undefined
    ) {
      this.restoreAfter = undefined;
      outbox.emit({ kind: "restore", checkpoint: this.checkpoint });
    }
  }

  private onReadRequested(id: number): void {
    const { outbox, now, self } = this.context;
    const code = this.retired
      ? "KHONSU_REPLICA_STOPPED"
      : this.reads.isFull
        ? "KHONSU_OVERLOADED"
        : undefined;
    if (code === undefined) {
      this.reads.add({ kind: "own", id, since: now });
      return;
    }
    const message = `replica ${formatReplica(self)} has ${this.reads.length} reads waiting`;
    outbox.emit({ kind: "readRefused", id, refusal: this.refuse(code, message) });
  }

  private onTransferRequested(to: ReplicaId): void {
    const { configuration, decided } = this.learner;
    if (this.leader !== undefined) {
      this.transfer.begin(to, this.leader, configuration, decided);
      return;
    }
    const answer = this.refuse("KHONSU_NOT_LEADER", "only the leader can hand over");
    this.context.outbox.emit({ kind: "transferRefused", to, refusal: answer });
  }

  private refuse(code: RefusalCode, reason: string): ReturnType<typeof refusal> {
    return refusal(code, `Cannot serve: ${reason}`, this.knownLeader);
  }

  // --- membership ---

  private onConfigured(): void {
    const { configuration } = this.learner;
    this.catchUp.retain(membersOf(configuration));
    if (isRetired(configuration, this.context.self)) this.retire();
    if (this.leader === undefined) {
      if (this.campaign !== undefined && !isVoter(configuration, this.context.self)) this.resign();
      return;
    }
    if (!isVoter(configuration, this.context.self)) {
      this.leader.tellAll();
      this.resign();
      return;
    }
    this.leader.followConfiguration();
  }

  /**
   * PX-12: a replica that began with an empty disk takes no part in any vote before it sees itself a learner in a
   * configuration as late as the leader's. If it comes back under an identity that had a vote, it finds itself a voter, and abstains.
   */
  private seekAdmission(): void {
    const { applied, configuration } = this.learner;
    if (this.admissionAt === undefined || applied < this.admissionAt) return;
    if (!isLearner(configuration, this.context.self)) return;
    this.admitted = true;
    this.recordIdentity();
  }

  private retire(): void {
    if (this.retired) return;
    this.retired = true;
    this.context.outbox.emit({ kind: "retired" });
  }

  // --- leadership ---

  private get knownLeader(): ReplicaId | undefined {
    const { leader } = this.election;
    return leader.round === 0 ? undefined : leader.replica;
  }

  private get ownBallot(): Ballot {
    return (this.leader ?? this.campaign)?.ballot ?? ZERO_BALLOT;
  }

  private get stalled(): boolean {
    const since = this.context.outbox.oldestWriteAt;
    return since !== undefined && this.context.now - since > this.context.options.electionTimeoutTicks;
  }

  private get mayLead(): boolean {
    const votes = isVoter(this.learner.configuration, this.context.self);
    return (
      votes &&
      this.admitted &&
      !this.stalled &&
      !this.learner.restoring &&
      !this.retired &&
      !this.lease.forbids(this.nextBallot)
    );
  }

  private get nextBallot(): Ballot {
    const { options, self } = this.context;
    return { round: this.election.nextBallotRound, priority: options.priority, replica: self };
  }

  private get standing(): Standing {
    const { applied, chain, decided } = this.learner;
    return {
      leading: this.leader?.ballot ?? ZERO_BALLOT,
      promised: this.acceptor.promised,
      healthy: this.election.healthy,
      electable: this.mayLead && this.election.mayReachQuorum,
      stalled: this.stalled || !this.admitted,
      priority: this.context.options.priority,
      decided,
      chain: applied === decided ? chain : 0,
    };
  }

  private endRound(): void {
    const { stalled, mayLead, leader, ownBallot: ballot } = this;
    const { configuration } = this.learner;
    const { promised } = this.acceptor;
    const leading = leader !== undefined;
    const verdict = this.election.endRound({ configuration, ballot, promised, leading, mayLead, stalled });
    if (verdict === "resign") this.resign();
    if (verdict === "campaign") this.campaignNow(false);
    if (!isMember(configuration, this.context.self)) return;
    const { standing } = this;
    for (const member of membersOf(configuration)) {
      if (member !== this.context.self) {
        this.context.outbox.send(member, { kind: "ping", round: this.election.round, standing });
      }
    }
  }

  private campaignNow(transfer: boolean): void {
    const ballot = this.nextBallot;
    this.election.noteBallot(ballot);
    this.election.begin();
    this.campaign = new Campaign(this.context, this.acceptor, this.learner, ballot, transfer);
  }

  private becomeLeader(campaign: Campaign): void {
    this.campaign = undefined;
    this.leader = new Leader(this.context, this.acceptor, this.learner, campaign);
    this.election.follow(campaign.ballot);
    this.election.begin();
    this.lease.begin();
    this.reads.abandonRequest();
    this.proposals.onLeading(this.leader);
  }

  /** Gives up a leadership or a campaign. What was proposed and not decided is pursued by way of the next leader (PX-15). */
  private resign(): void {
    const { leader } = this;
    this.election.unfollow(this.ownBallot);
    this.campaign = undefined;
    if (leader === undefined) return;
    this.leader = undefined;
    this.transfer.end();
    this.lease.surrender();
    this.reads.abandonConfirmation();
    this.proposals.onResigned(leader, this.undecided(leader));
  }

  private undecided(leader: Leader): Entry[] {
    const { log } = this.context;
    const entries: Entry[] = [];
    for (let at = slotAfter(this.learner.decided); at <= leader.last; at = slotAfter(at)) {
      const entry = log.entryAt(at);
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  /** A higher ballot was promised here: an own one is over (PX-4), and whoever made it gets a round's time. */
  private giveWay(): void {
    const { ownBallot } = this;
    const { promised } = this.acceptor;
    if (promised !== this.seenPromise) this.election.expectLeader();
    this.seenPromise = promised;
    if (ownBallot.round > 0 && compareBallots(this.acceptor.promised, ownBallot) > 0) this.resign();
  }

  private announceLeader(): void {
    const { leader } = this.election;
    if (sameBallot(leader, this.announced)) return;
    this.announced = leader;
    this.context.outbox.emit({ kind: "leaderChanged", leader: this.knownLeader, ballot: leader });
    this.proposals.onLeaderChanged();
    if (this.knownLeader !== undefined) this.reads.abandonRequest();
    if (this.leader === undefined) this.follow();
  }

  // --- messages ---

  private readonly onMessage: MessageHandlers = {
    ping: (from, { round, standing }) => {
      this.onStanding(from, standing);
      this.context.outbox.send(from, { kind: "pong", round, standing: this.standing });
    },
    pong: (from, { round, standing }) => {
      this.onStanding(from, standing);
      this.election.onPong(from, round, standing);
    },
    prepare: (from, message) => {
      this.election.noteBallot(message.ballot);
      if (!this.admitted) return;
      if (this.lease.forbids(message.ballot) && !message.transfer) return;
      this.acceptor.onPrepare(from, message, this.learner.decided);
    },
    promise: (from, message) => {
      const campaign = this.campaign ?? this.leader?.campaign;
      campaign?.onPromise(from, message);
      this.catchUp.note(from, message.decided);
      if (this.campaign !== undefined && this.catchUp.isBehind)
        this.catchUp.ask(this.sourceForCampaign(this.campaign));
    },
    nack: (_from, { ballot, promised }) => {
      this.election.noteBallot(promised);
      if (!sameBallot(ballot, this.ownBallot)) return;
      if (this.campaign !== undefined) this.election.backOff();
      this.resign();
    },
    accept: (from, message) => {
      if (this.admitted) this.onAccept(from, message);
    },
    accepted: (from, message) => {
      this.catchUp.note(from, message.decided);
      if (this.leader !== undefined && sameBallot(message.ballot, this.leader.ballot))
        this.leader.onAccepted(from, message);
    },
    confirm: (from, { ballot, sequence }) => {
      if (!this.admitted) return;
      const { promised } = this.acceptor;
      if (compareBallots(ballot, promised) < 0)
        return this.context.outbox.send(from, { kind: "nack", ballot, promised });
      this.election.follow(ballot);
      this.lease.grant(ballot);
      this.context.outbox.send(from, { kind: "confirmed", ballot, sequence });
    },
    confirmed: (from, { ballot, sequence }) => {
      if (this.leader === undefined || !sameBallot(ballot, this.leader.ballot)) return;
      this.onConfirmed(from, sequence);
    },
    readRequest: (from, { sequence }) => {
      if (this.leader !== undefined && !this.reads.isFull)
        this.reads.add({ kind: "remote", replica: from, sequence });
    },
    readResponse: (_from, { sequence, index }) => this.reads.onResponse(sequence, index),
    fetch: (from, message) => {
      const answer = this.catchUp.answer(message);
      if (answer !== undefined) this.context.outbox.send(from, answer);
      else this.offerCheckpoint(from);
    },
    learn: (from, message) => this.onLearn(from, message),
    checkpointOffer: (from, { checkpoint, decided }) => {
      this.catchUp.note(from, decided);
      this.catchUp.onAnswer(from);
      if (checkpoint.slot <= this.learner.applied || this.learner.restoring) return;
      this.install(this.images.onOffer(from, checkpoint));
    },
    fetchChunk: (from, { slot, offset }) => {
      if (this.checkpoint?.slot !== slot) return this.offerCheckpoint(from);
      const { chunkBytes: length } = this.context.options;
      this.context.outbox.emit({ kind: "readChunk", to: from, slot, offset, length });
    },
    chunk: (from, message) => {
      this.install(this.images.onChunk(from, message));
    },
    forward: (from, { proposals }) => {
      if (this.leader !== undefined) this.proposals.onForward(from, proposals, this.leader);
    },
    forwardRefused: (_from, { proposals }) => this.proposals.onForwardRefused(proposals),
    takeOver: (_from, { ballot, through }) => {
      const follows = compareBallots(ballot, this.acceptor.promised) === 0 && this.ownBallot.round === 0;
      const flushed = Math.max(this.acceptor.through, this.learner.decided) >= through;
      const votes = isVoter(this.learner.configuration, this.context.self);
      if (this.admitted && follows && flushed && votes && !this.stalled && !this.learner.restoring)
        this.campaignNow(true);
    },
    retired: () => {
      this.retire();
      this.resign();
    },
  };

  private onStanding(from: ReplicaId, standing: Standing): void {
    this.election.onStanding(from, standing);
    this.catchUp.note(from, standing.decided);
    if (standing.leading.round > 0) this.admissionAt ??= standing.decided;
    this.compareChain(from, standing);
    const { decided } = this.learner;
    this.learner.decide(this.acceptor.decidedBy(standing.leading, standing.decided, decided));
  }

  private onAccept(from: ReplicaId, message: MessageOf<"accept">): void {
    this.election.noteBallot(message.ballot);
    const { decided } = this.learner;
    if (!this.acceptor.onAccept(from, message, decided)) return;
    this.election.follow(message.ballot);
    this.catchUp.note(from, message.decided);
    this.learner.decide(this.acceptor.decidedBy(message.ballot, message.decided, decided));
    this.acceptor.answerAccept(from, this.learner.decided);
  }

  private onConfirmed(from: ReplicaId, sequence: number): void {
    const confirmation = this.reads.onConfirmed(from, sequence);
    const { configuration } = this.learner;
    if (confirmation === undefined || configuration === undefined) return;
    if (!isAcceptQuorum(configuration, confirmation.confirmedBy)) return;
    this.lease.extend(confirmation.begunAt);
    this.reads.completeConfirmation();
  }

  private confirmReads(leader: Leader): void {
    const { configuration, decided } = this.learner;
    if (!leader.established || configuration === undefined) return;
    if (this.lease.held) this.reads.answerWaiting(decided);
    const sequence = this.reads.beginConfirmation(decided, this.lease.isDue);
    if (sequence === undefined) return;
    this.sendConfirm(leader, sequence);
    this.onConfirmed(this.context.self, sequence);
  }

  private repeatConfirmation(leader: Leader): void {
    const sequence = this.reads.retryConfirmation();
    if (sequence !== undefined) this.sendConfirm(leader, sequence);
  }

  private sendConfirm(leader: Leader, sequence: number): void {
    for (const voter of this.learner.configuration?.voters ?? []) {
      if (voter === this.context.self) continue;
      this.context.outbox.send(voter, { kind: "confirm", ballot: leader.ballot, sequence });
    }
  }

  // --- catching up ---

  /** Whoever told the candidate of the decided index that it must reach. */
  private sourceForCampaign(campaign: Campaign): ReplicaId | undefined {
    return campaign.proposer.knowing(this.learner.decided)[0];
  }

  private onLearn(from: ReplicaId, message: MessageOf<"learn">): void {
    this.catchUp.note(from, message.decided);
    this.catchUp.onAnswer(from);
    const { first, entries } = this.catchUp.missing(message);
    if (entries.length === 0) return;
    entries.forEach((entry, i) => {
      this.acceptor.learn(slotAfter(first, i), entry);
    });
    this.context.outbox.record({ kind: "learned", first, entries });
    this.learner.decide(slotAfter(first, entries.length - 1));
    this.learner.deliver();
    this.campaign?.touch();
    if (!this.catchUp.isBehind) this.images.stop();
    else this.catchUp.ask(from);
  }

  /** Offers the image that stands on disk. One that is still on its way there cannot be read, and a crash may yet take it back. */
  private offerCheckpoint(to: ReplicaId): void {
    const { checkpoint } = this;
    const { decided } = this.learner;
    if (checkpoint !== undefined && this.context.outbox.durable >= this.adoptedBy)
      this.context.outbox.send(to, { kind: "checkpointOffer", checkpoint, decided });
  }

  private onChunkRead(to: ReplicaId, slot: Slot, offset: number, bytes: Uint8Array | undefined): void {
    const { checkpoint } = this;
    if (checkpoint?.slot !== slot) this.offerCheckpoint(to);
    else if (bytes !== undefined)
      this.context.outbox.send(to, { kind: "chunk", checkpoint, offset, bytes, checksum: crc32c(bytes) });
    // Otherwise it is not answered, and turns to somebody else: the same offer again would bring the same request.
  }

  private onCheckpointTaken(slot: Slot, size: number, checksum: number): void {
    const checkpoint = this.learner.checkpointOf(slot, size, checksum);
    if (checkpoint === undefined || slot <= (this.checkpoint?.slot ?? NO_SLOT)) return;
    const keepFrom = slot - this.context.options.retainEntries;
    this.adopt(checkpoint, Math.max(this.context.log.trimmed, keepFrom, NO_SLOT) as Slot);
  }

  /** All of an image is here: it becomes current, and then the state machine's state. */
  private install(checkpoint: Checkpoint | undefined): void {
    if (checkpoint === undefined) return;
    this.images.stop();
    this.catchUp.onImage();
    if (checkpoint.slot <= this.learner.applied) return;
    if (this.leader !== undefined) this.resign();
    this.learner.beginRestore(checkpoint);
    this.adopt(checkpoint, checkpoint.slot);
    this.restoreAfter = this.context.outbox.barrier;
  }

  /** One record makes the checkpoint current and lets the log below go: after a crash it is the old state or the new (PX-10). */
  private adopt(checkpoint: Checkpoint, trimmed: Slot): void {
    invariant(trimmed <= checkpoint.slot, "PX-9", "the log is never trimmed past the checkpoint");
    this.context.outbox.record({ kind: "checkpoint", checkpoint, trimmed });
    this.checkpoint = checkpoint;
    this.adoptedBy = this.context.outbox.barrier;
    this.images.supersede(checkpoint.slot);
    this.acceptor.forget(checkpoint.slot);
    this.context.log.trim(trimmed);
  }

  // --- invariants ---

  private onDelivered(entries: readonly DecidedEntry[]): void {
    this.proposals.onDelivered(entries);
    const { leader } = this;
    if (leader === undefined) return;
    for (const entry of entries) {
      if (entry.kind === "command" || entry.kind === "duplicate") leader.forget(entry);
    }
  }

  /** PX-13: two members that know the chain checksum at one slot must agree on it. */
  private compareChain(from: ReplicaId, { decided, chain }: Standing): void {
    const here =
      chain === 0 || decided > this.learner.applied ? undefined : this.context.log.chainAt(decided);
    if (here === undefined || here === chain || decided === NO_SLOT) return;
    throw new PaxosError(
      "KHONSU_LOG_DIVERGED",
      `PX-13: the decided log up to slot ${decided} has chain checksum ${here} here and ${chain} at ${formatReplica(from)}`,
    );
  }

  /** PX-13: what is read back and applied again has the chain checksum that it had. */
  private checkChain(): void {
    const expected = this.expectedChain;
    if (expected === undefined || this.learner.applied < expected.slot) return;
    this.expectedChain = undefined;
    const here = this.context.log.chainAt(expected.slot);
    if (here === undefined || here === expected.chain) return;
    throw new PaxosError(
      "KHONSU_STORAGE_CORRUPT",
      `PX-13: the log up to slot ${expected.slot} is not what was decided`,
    );
  }

  /** The decided index goes to the disk with whatever goes there anyway; a restart then knows most of it. */
  private recordDecided(): void {
    const { applied, chain, decided } = this.learner;
    const { outbox } = this.context;
    if (decided <= this.recordedDecided || !(outbox.hasRecords || outbox.isSettling)) return;
    this.recordedDecided = decided;
    outbox.record({ kind: "decided", slot: decided, chain: applied === decided ? chain : 0 });
  }

  private assertOrder(): void {
    const { applied, decided, restoring } = this.learner;
    const at = this.checkpoint?.slot ?? NO_SLOT;
    invariant(
      this.context.log.trimmed <= at || at === NO_SLOT,
      "PX-9",
      "the log is trimmed past the checkpoint",
    );
    invariant(restoring || at <= applied, "PX-9", "the checkpoint is past the applied index");
    invariant(applied <= decided, "PX-9", "the applied index is past the decided index");
  }

  // --- status ---

  private get role(): Role {
    if (this.fence !== undefined) return "fenced";
    if (this.leader !== undefined) return "leader";
    if (this.campaign !== undefined) return "candidate";
    const { configuration } = this.learner;
    if (this.retired || !this.admitted || !isMember(configuration, this.context.self)) return "outsider";
    return isVoter(configuration, this.context.self) ? "follower" : "learner";
  }

  /** The part of `status()` that is asked for with every request, at the cost of three fields. */
  brief(): BriefStatus {
    return {
      leading: this.leader !== undefined && this.fence === undefined,
      leader: this.knownLeader,
      applied: this.learner.applied,
    };
  }

  status(): Status {
    const { acceptor, context, election, images, learner, leader, proposals } = this;
    const { progress } = images;
    const own =
      leader === undefined ? [] : [{ replica: context.self, through: leader.matchOf(context.self) }];
    return {
      replica: context.self,
      role: this.role,
      leader: this.knownLeader,
      promised: acceptor.promised,
      ballot: this.ownBallot,
      trimmed: context.log.trimmed,
      checkpoint: this.checkpoint?.slot ?? NO_SLOT,
      applied: learner.applied,
      decided: learner.decided,
      last: context.log.last,
      chain: learner.chain,
      chainAt: learner.applied,
      configuration: learner.configuration,
      healthy: election.healthy,
      quorumConnected: election.quorumConnected,
      diskStalled: this.stalled,
      doubtful: acceptor.doubtful,
      writesOutstanding: context.outbox.writesOutstanding,
      proposalsQueued: leader?.queue.length ?? 0,
      proposalsForwarded: proposals.forwarded,
      readsWaiting: this.reads.length,
      inFlight: leader?.inFlight ?? 0,
      matched: [...own, ...(leader?.matched ?? [])].sort((a, b) => a.replica - b.replica),
      fetching:
        progress === undefined
          ? undefined
          : { slot: progress.checkpoint.slot, received: progress.received, size: progress.checkpoint.size },
      ticks: context.now,
      fencedBecause: this.fence?.message,
    };
  }
}
