/**
 * A small driver for those who do not write their own: feeds a replica, carries out its effects in order, gathers the writes
 * and the proposals of a turn, keeps time. Clock, network, disk and application come in through interfaces.
 *
 * Order: inputs queue up and are taken one at a time; all effects of one are carried out, or begun, before the next.
 */
import type { AcceptorStorage } from "../acceptor-storage.ts";
import type { Configuration, MembershipChange } from "../configuration.ts";
import type { Effect, PersistEffect } from "../effect.ts";
import type { DecidedEntry, Proposal } from "../entry.ts";
import { PaxosError } from "../errors.ts";
import type { Input } from "../input.ts";
import type { Envelope } from "../message.ts";
import { DEFAULT_LIMITS, type ReplicaOptions } from "../options.ts";
import { Replica } from "../replica.ts";
import type { ReplicaId } from "../replica-id.ts";
import { type Slot, slotAfter } from "../slot.ts";
import type { BriefStatus, Status } from "../status.ts";
import { Answers, stopped } from "./answers.ts";
import { Gathering } from "./gathering.ts";
import { readChunk, restore, takeCheckpoint } from "./images.ts";
import type { DriverClock, DriverTransport, StateMachine } from "./interfaces.ts";
import { Ticks } from "./ticks.ts";
import type { Outcome, Waiter } from "./waiting.ts";
import { Writes } from "./writes.ts";

export interface DriverOptions {
  readonly replica: ReplicaOptions;
  /** Opened and closed by the caller. */
  readonly storage: AcceptorStorage;
  readonly transport: DriverTransport;
  readonly clock: DriverClock;
  readonly stateMachine: StateMachine;
  /** How long a tick is, in milliseconds. Default 50. */
  readonly tickMilliseconds?: number;
  /** Called once when the replica has stopped for good, also because it was removed: tell people. */
  readonly onFenced: (error: PaxosError) => void;
  /** Called for every effect, before it is carried out; for metrics. */
  readonly onEffect?: (effect: Effect) => void;
}

const CLOSED = "the driver is closed";

export class Driver {
  private readonly options: DriverOptions;
  private readonly replica: Replica;
  private readonly tickMilliseconds: number;
  private readonly inputs: Input[] = [];
  private running = false;
  private closed = false;
  private readonly ticks: Ticks;
  private cancelHope: () => void = () => {};
  private readonly gathering: Gathering;
  private readonly writes: Writes;
  private readSequence = 0;
  private readonly answers = new Answers();

  /** Recovers the disk, restores the application from it and starts the replica. */
  static async open(options: DriverOptions): Promise<Driver> {
    const recovered = await options.storage.recover();
    const { checkpoint, preface } = recovered;
    if (checkpoint !== undefined && preface !== undefined) {
      await restore(options.storage, options.stateMachine, checkpoint);
    }
    const driver = new Driver(options, new Replica(options.replica, recovered));
    driver.begin();
    return driver;
  }

  private constructor(options: DriverOptions, replica: Replica) {
    this.options = options;
    this.replica = replica;
    this.tickMilliseconds = options.tickMilliseconds ?? 50;
    this.ticks = new Ticks(options.clock, this.tickMilliseconds, () => this.feed());
    this.gathering = new Gathering({ ...DEFAULT_LIMITS, ...options.replica });
    this.writes = new Writes(options.storage, {
      durable: (effects) => this.onDurable(effects),
      failed: (error) => this.feed({ kind: "storageFailed", message: `Cannot write: ${String(error)}` }),
    });
  }

  private begin(): void {
    this.carryOut(this.replica.start());
    this.ticks.start();
  }

  /** To be called with every message that arrives for this replica. */
  receive({ from, to, message }: Envelope): void {
    this.feed({ kind: "received", from, to, message });
  }

  status(): Status {
    return this.replica.status();
  }

  /** As `status`, of which it is the part that costs next to nothing. */
  brief(): BriefStatus {
    return this.replica.brief();
  }

  /** That of `status`; undefined if this replica knows none. */
  get configuration(): Configuration | undefined {
    return this.replica.configuration;
  }

  /**
   * Has a command decided and applied. Asking again with the same client and sequence, here or elsewhere, is safe.
   * @throws RefusedError `KHONSU_OVERLOADED`, `KHONSU_NOT_LEADER`, `KHONSU_OUTCOME_UNKNOWN`, `KHONSU_SESSION_EXPIRED`,
   * `KHONSU_COMMAND_TOO_LARGE` or `KHONSU_REPLICA_STOPPED`.
   */
  propose(proposal: Proposal): Promise<Outcome> {
    return new Promise((resolve, reject) => this.submit(proposal, { resolve, reject }));
  }

  /** As `propose`, for one who waits for many. `waiter` may be told before the call returns. */
  submit(proposal: Proposal, waiter: Waiter<Outcome>): void {
    if (this.closed) {
      waiter.reject(stopped(CLOSED));
      return;
    }
    this.answers.outcomes.wait(proposal, waiter);
    if (this.gathering.push(proposal)) void Promise.resolve().then(() => this.feedProposals());
  }

  /** Hands in the proposals that have gathered, if it is time. */
  private feedProposals(): void {
    const { gathering } = this;
    const isLater = this.writes.areVotesUnderWay && !gathering.isFull && this.replica.brief().leading;
    if (!gathering.isEmpty && !isLater) this.feed({ kind: "proposed", proposals: gathering.take() });
  }

  /**
   * Resolves when the application may be read: it then shows everything that was acknowledged before the call.
   * @throws RefusedError `KHONSU_OVERLOADED`, `KHONSU_NOT_LEADER` or `KHONSU_REPLICA_STOPPED`.
   */
  readBarrier(): Promise<Slot> {
    const id = ++this.readSequence;
    const index = this.answers.reads.wait(id);
    this.feed({ kind: "readRequested", id });
    return index;
  }

  /**
   * Resolves once `to` leads.
   * @throws RefusedError `KHONSU_NOT_LEADER`, `KHONSU_TRANSFER_TARGET_INVALID`, `KHONSU_TRANSFER_TARGET_BEHIND` or
   * `KHONSU_MEMBERSHIP_BUSY`.
   */
  transferLeadership(to: ReplicaId): Promise<void> {
    const done = this.answers.transfers.wait(to);
    this.feed({ kind: "transferRequested", to });
    return done;
  }

  /**
   * Resolves with the configuration once the change is decided (for `add` with `promote`: once the learner is added).
   * @throws RefusedError `KHONSU_NOT_LEADER`, `KHONSU_MEMBERSHIP_BUSY`, `KHONSU_MEMBERSHIP_INVALID`, `KHONSU_LEARNER_BEHIND`, or
   * `KHONSU_OUTCOME_UNKNOWN` if leadership was lost meanwhile.
   */
  changeMembership(change: MembershipChange): Promise<Configuration> {
    const configuration = this.answers.changes.wait(JSON.stringify(change));
    this.feed({ kind: "membershipRequested", change });
    return configuration;
  }

  /** Stops feeding the replica, as a crash would, after the write under way. The storage stays open. */
  async close(): Promise<void> {
    this.closed = true;
    this.ticks.stop();
    this.cancelHope();
    await this.writes.stop();
    this.answers.rejectAll(CLOSED);
  }

  /** Takes an input, after the ticks that have gone by: a lease may have run out while the process was paused (PX-18). */
  private feed(input?: Input): void {
    if (this.closed) {
      this.answers.rejectAll(CLOSED);
      return;
    }
    const ticks = this.ticks.take();
    if (ticks > 0) {
      this.inputs.push({ kind: "tick", ticks });
      if (!this.gathering.isEmpty) this.inputs.push({ kind: "proposed", proposals: this.gathering.take() });
    }
    if (input !== undefined) this.inputs.push(input);
    this.run();
  }

  private run(): void {
    if (this.running) return;
    this.running = true;
    try {
      for (let input = this.inputs.shift(); input !== undefined; input = this.inputs.shift()) {
        this.carryOut(this.replica.step(input));
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.running = false;
    }
  }

  /** The replica, or the application, threw: nothing of the step has left, and nothing will. */
  private fail(error: unknown): void {
    const known = error instanceof PaxosError;
    this.onFenced(
      known ? error : new PaxosError("KHONSU_INVARIANT_VIOLATED", "The state machine threw", error),
    );
  }

  private onFenced(error: PaxosError): void {
    if (this.closed) return;
    this.closed = true;
    this.ticks.stop();
    this.cancelHope();
    this.answers.rejectAll(error.message);
    this.options.onFenced(error);
  }

  private carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      this.options.onEffect?.(effect);
      this.carryOutOne(effect);
    }
  }

  private carryOutOne(effect: Effect): void {
    const { stateMachine, storage } = this.options;
    switch (effect.kind) {
      case "persist":
        this.writes.add(effect);
        break;
      case "send":
        this.options.transport.send(effect.envelope);
        break;
      case "decided":
        this.apply(effect.first, effect.entries);
        break;
      case "takeCheckpoint":
        this.background(takeCheckpoint(this.options, effect));
        break;
      case "readChunk":
        this.background(readChunk(storage, effect));
        break;
      case "restore":
        this.background(restore(storage, stateMachine, effect.checkpoint));
        break;
      case "retired":
        this.onFenced(
          new PaxosError("KHONSU_REPLICA_RETIRED", "A decided configuration has removed this replica"),
        );
        break;
      case "fenced":
        this.onFenced(new PaxosError(effect.code, effect.message));
        break;
      case "leaderChanged":
        this.onLeaderChanged(effect.leader);
        break;
      default:
        this.answers.onEffect(effect);
    }
  }

  /** While nobody is known to lead, whoever is to take over may be about to; but not for longer than an election takes. */
  private onLeaderChanged(leader: ReplicaId | undefined): void {
    this.cancelHope();
    if (leader !== undefined) {
      this.answers.onLeadershipLost(leader);
      return;
    }
    const { electionTimeoutTicks = DEFAULT_LIMITS.electionTimeoutTicks } = this.options.replica;
    const patience = electionTimeoutTicks * this.tickMilliseconds;
    this.cancelHope = this.options.clock.after(patience, () => this.answers.onLeadershipLost(undefined));
  }

  private apply(first: Slot, entries: readonly DecidedEntry[]): void {
    const { outcomes } = this.answers;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      const slot = slotAfter(first, i);
      if (entry.kind === "command") {
        const result = this.options.stateMachine.apply(slot, entry.command);
        if (!outcomes.isEmpty) outcomes.resolve(entry, { slot, result });
      } else if (entry.kind === "duplicate") {
        this.answers.onDuplicate(entry);
      }
    }
  }

  private onDurable(effects: readonly PersistEffect[]): void {
    if (this.closed) return;
    for (const { release } of effects) for (const envelope of release) this.options.transport.send(envelope);
    this.feed({ kind: "persisted", write: effects[effects.length - 1]!.write });
    this.feedProposals();
  }

  /** Work on images goes on beside the rest; a failure of it is a failure of the disk. */
  private background(work: Promise<Input>): void {
    work
      .then((input) => this.feed(input))
      .catch((error: unknown) => this.feed({ kind: "storageFailed", message: String(error) }));
  }
}
