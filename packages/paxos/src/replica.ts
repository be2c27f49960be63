/**
 * A replica: inputs in, effects out. Composes the roles, each of which owns its slice of the state, and keeps the order in
 * which they see a step: first whoever the input is for, then delivery of what became decided, then what may be proposed, sent
 * or answered because of it. No promise, timer, clock, randomness or I/O: equal inputs give equal effects.
 */

import type { Recovered } from "./acceptor-storage.ts";
import type { Configuration } from "./configuration.ts";
import type { Effect, WriteId } from "./effect.ts";
import type { DecidedEntry } from "./entry.ts";
import { invariant, PaxosError, type PaxosErrorCode } from "./errors.ts";
import type { Input, InputKind, InputOf } from "./input.ts";
import { isRetired, membersOf } from "./membership.ts";
import type { MessageKind, MessageOf } from "./message.ts";
import { type MessageHandlers, messageHandlers } from "./message-handlers.ts";
import type { ReplicaOptions } from "./options.ts";
import { cannotServe } from "./read-confirmation.ts";
import type { ReplicaId } from "./replica-id.ts";
import { briefStatusOf, statusOf } from "./replica-status.ts";
import { assembleRoles, type Roles } from "./roles.ts";
import type { Slot } from "./slot.ts";
import { startUp } from "./startup.ts";
import type { BriefStatus, Status } from "./status.ts";

type InputHandlers = { readonly [K in InputKind]: (input: InputOf<K>) => void };

/** One run of one replica of one group; after a crash make a new one from what storage recovered. */
export class Replica {
  private readonly roles: Roles;
  private readonly onMessage: MessageHandlers;
  /** The decided index that the disk knows, or will with the writes under way. */
  private recordedDecided: Slot;
  private started = false;
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
    this.roles = assembleRoles(parts, recovered);
    this.onMessage = messageHandlers(this.roles);
    this.recordedDecided = recovered.decided;
  }

  /**
   * To be called once, before any `step`, with the state machine being the image of `recovered.checkpoint`, or new if
   * `recovered.preface` is undefined. Delivers what the disk knows to be decided.
   */
  start(): readonly Effect[] {
    invariant(!this.started, "PX-7", "a replica is started once");
    this.started = true;
    this.roles.admission.record();
    return this.guarded(() => {});
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
    const { context } = this.roles;
    if (this.fence !== undefined) return [];
    try {
      work();
      if (this.fence === undefined) this.finish();
    } catch (error) {
      if (!(error instanceof PaxosError)) throw error;
      this.stop(error.code, error.message);
      if (error.code === "KHONSU_INVARIANT_VIOLATED") throw error;
    }
    return context.outbox.take(context.now);
  }

  /** Fences the replica: it does nothing ever after, and says so (design, §4). */
  private stop(code: PaxosErrorCode, message: string): void {
    const { outbox } = this.roles.context;
    this.fence = { code, message };
    outbox.discard();
    outbox.emit({ kind: "fenced", code, message });
  }

  /** What follows from whatever the input was. */
  private finish(): void {
    const { admission, chain, checkpoints, leadership, learner, reads } = this.roles;
    leadership.giveWay();
    learner.deliver();
    chain.checkReplayed();
    admission.seek();
    leadership.advance();
    reads.release(learner.applied);
    leadership.announce();
    this.recordDecided();
    checkpoints.assertOrder();
  }

  /** The decided index goes to the disk with whatever goes there anyway; a restart then knows most of it. */
  private recordDecided(): void {
    const { applied, chain, decided } = this.roles.learner;
    const { outbox } = this.roles.context;
    if (decided <= this.recordedDecided || !(outbox.hasRecords || outbox.isSettling)) return;
    this.recordedDecided = decided;
    outbox.record({ kind: "decided", slot: decided, chain: applied === decided ? chain : 0 });
  }

  private readonly onInput: InputHandlers = {
    tick: ({ ticks = 1 }) => this.onTick(ticks),
    received: ({ from, to, message }) => this.onReceived(from, to, message),
    proposed: (input) => {
      const { admission, leadership, proposals } = this.roles;
      for (const proposal of input.proposals)
        proposals.propose(proposal, leadership.leader, leadership.known, admission.retired);
    },
    persisted: ({ write }) => this.onPersisted(write),
    storageFailed: ({ message }) => this.stop("KHONSU_STORAGE_FAILED", message),
    readRequested: ({ id }) => {
      const { admission, confirmation, leadership } = this.roles;
      confirmation.request(id, admission.retired, leadership.known);
    },
    transferRequested: ({ to }) => this.roles.leadership.requestTransfer(to),
    membershipRequested: ({ change }) => {
      const { leadership, membership } = this.roles;
      membership.request(change, leadership.leader, leadership.known);
    },
    checkpointTaken: ({ slot, size, checksum }) => this.roles.checkpoints.onTaken(slot, size, checksum),
    chunkRead: ({ to, slot, offset, bytes }) => this.roles.checkpoints.onChunkRead(to, slot, offset, bytes),
    restored: ({ slot, preface }) => {
      if (this.roles.learner.endRestore(slot, preface)) this.onConfigured();
    },
  };

  private onReceived(from: ReplicaId, to: ReplicaId, message: MessageOf<MessageKind>): void {
    const { admission, context, leadership, learner } = this.roles;
    if (to !== context.self || from === to || admission.retired) return;
    if (isRetired(learner.configuration, from)) {
      context.outbox.send(from, { kind: "retired" });
      return;
    }
    leadership.leader?.onHeard(from);
    (this.onMessage[message.kind] as (from: ReplicaId, message: MessageOf<MessageKind>) => void)(
      from,
      message,
    );
  }

  private onTick(ticks: number): void {
    const { catchUp, confirmation, context, images, leadership, membership, proposals, transfer } =
      this.roles;
    context.now += ticks;
    context.outbox.settle();
    leadership.endRound();
    leadership.leader?.onTick();
    // A leader may have resigned meanwhile.
    const { leader } = leadership;
    if (leader !== undefined) {
      transfer.onTick(leader);
      membership.promoteLearner(leader);
      confirmation.repeat(leader);
    }
    leadership.onTick();
    catchUp.onTick(leadership.known);
    images.onTick();
    proposals.onTick(leadership.known);
    this.expireReads();
  }

  private expireReads(): void {
    const { context, leadership, reads } = this.roles;
    reads.expire(context.options.proposalTimeoutTicks, () =>
      cannotServe("KHONSU_NOT_LEADER", "no leader confirmed the read in time", leadership.known),
    );
  }

  private onPersisted(write: WriteId): void {
    const { checkpoints, context, leadership } = this.roles;
    context.outbox.onPersisted(write);
    leadership.onPersisted();
    checkpoints.onPersisted();
  }

  private onConfigured(): void {
    const { admission, catchUp, context, leadership, learner } = this.roles;
    const { configuration } = learner;
    catchUp.retain(membersOf(configuration));
    if (isRetired(configuration, context.self)) admission.retire();
    leadership.onConfigured();
  }

  private onDelivered(entries: readonly DecidedEntry[]): void {
    const { leadership, proposals } = this.roles;
    proposals.onDelivered(entries);
    const { leader } = leadership;
    if (leader === undefined) return;
    for (const entry of entries) {
      if (entry.kind === "command" || entry.kind === "duplicate") leader.forget(entry);
    }
  }

  /** The part of `status()` that is asked for with every request, at the cost of three fields. */
  brief(): BriefStatus {
    return briefStatusOf(this.roles, this.fence !== undefined);
  }

  /** What governs the slots after the applied index, as in `status()`. */
  get configuration(): Configuration | undefined {
    return this.roles.learner.configuration;
  }

  status(): Status {
    return statusOf(this.roles, this.fence?.message);
  }
}
