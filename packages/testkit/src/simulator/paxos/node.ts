// A simulated node: feeds inputs to one replica and carries out its effects one by one, on a disk and a network that fail. It can stop
// between any two effects, and stand still with its inputs waiting.
//
// It is the driver that the package's duties are written for: one input at a time, all effects of one before the next, ticks missed in
// a pause fed first and at once.

import {
  crc32c,
  type Effect,
  type Envelope,
  type Input,
  type LeaseOptions,
  PaxosError,
  Replica,
  type ReplicaId,
  type ReplicaLimits,
  replicaId,
  type StartMode,
  type Status,
} from "@khonsu/paxos";
import type { Disk } from "../disk.ts";
import { ensure, SimulationFailure } from "../failure.ts";
import type { NodeClock } from "../node-clock.ts";
import type { Prng } from "../prng.ts";
import type { Scheduler, Timer } from "../scheduler.ts";
import type { Trace } from "../trace.ts";
import type { AcceptorCheck } from "./checks/acceptor-check.ts";
import type { ReplicaCheck } from "./checks/replica-check.ts";
import type { ClientReply, ClientRequest } from "./client-protocol.ts";
import { describeEffect, describeInput } from "./describe.ts";
import { deepFreeze } from "./freeze.ts";
import { RegisterMachine } from "./register-machine.ts";
import { ReplicaStorage } from "./replica-storage.ts";
import type { StoredFrame } from "./stored-frame.ts";

/** What all nodes of a cluster share. */
export interface NodeEnvironment {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly acceptorCheck: AcceptorCheck;
  readonly replicaCheck: ReplicaCheck;
  readonly limits: Partial<ReplicaLimits>;
  readonly lease: Partial<LeaseOptions>;
  readonly tickUs: number;
  readonly freezes: boolean;
  readonly send: (envelope: Envelope) => void;
  readonly reply: (node: number, process: number, reply: ClientReply) => void;
  /** Whether the disk of this node has really lost something that the node cannot go on without. */
  readonly isDiskLost: (node: number) => boolean;
}

/** Why a node does not run. */
export type DownReason = "crashed" | "fenced" | "disk-lost" | "off";

/** What a replica says of a disk that it cannot go on with: it has to come back under a new incarnation. */
const DISK_LOST_CODES: ReadonlySet<string> = new Set(["KHONSU_STORAGE_CORRUPT", "KHONSU_IDENTITY_MISMATCH"]);

interface PendingRead {
  readonly process: number;
  readonly attempt: number;
  readonly key: string;
}

export class SimulatedNode {
  readonly node: number;
  readonly disk: Disk<StoredFrame>;
  readonly clock: NodeClock;
  incarnation = 0;
  downReason: DownReason | undefined = "off";
  readonly #environment: NodeEnvironment;
  readonly #prng: Prng;
  readonly #priority: number;
  /** How this incarnation began, and whether anything of it was ever reported durable: until then it may begin again. */
  #firstStart: StartMode = { kind: "restart" };
  #wasDurable = false;
  #replica: Replica | undefined;
  #storage: ReplicaStorage;
  #machine = new RegisterMachine();
  #status: Status | undefined;
  #tick: Timer | undefined;
  #pauses = 0;
  #missedTicks = 0;
  #inbox: (() => void)[] = [];
  #effectsUntilCrash: number | undefined;
  #onCrash: () => void = () => {};
  /** Counts lives: what was begun in an earlier one comes to nothing. */
  #life = 0;
  #lastReadId = 0;
  readonly #reads = new Map<number, PendingRead>();
  readonly #proposals = new Map<string, { readonly process: number; readonly attempt: number }>();

  constructor(
    node: number,
    priority: number,
    disk: Disk<StoredFrame>,
    clock: NodeClock,
    prng: Prng,
    environment: NodeEnvironment,
  ) {
    this.node = node;
    this.disk = disk;
    this.clock = clock;
    this.#priority = priority;
    this.#prng = prng;
    this.#environment = environment;
    this.#storage = new ReplicaStorage(disk);
  }

  get self(): ReplicaId {
    return replicaId(this.node, this.incarnation);
  }

  get isDown(): boolean {
    return this.downReason !== undefined;
  }

  get isPaused(): boolean {
    return this.#pauses > 0;
  }

  /** What the replica last said about itself; undefined while the node is down. */
  get status(): Status | undefined {
    return this.isDown ? undefined : this.#status;
  }

  get machine(): RegisterMachine {
    return this.#machine;
  }

  /** Starts a new incarnation on an empty disk. */
  begin(start: StartMode): void {
    this.incarnation += 1;
    this.#firstStart = start;
    this.#wasDurable = false;
    this.#boot(start);
  }

  /** Starts the node again on what its disk holds. */
  restart(): void {
    this.#boot(this.#wasDurable ? { kind: "restart" } : this.#firstStart);
  }

  #boot(start: StartMode): void {
    const { replicaCheck, limits, lease, trace, scheduler } = this.#environment;
    this.#life += 1;
    this.downReason = undefined;
    this.#storage = new ReplicaStorage(this.disk);
    this.#reads.clear();
    this.#proposals.clear();
    trace.add(scheduler.nowUs, this.node, () => `start ${start.kind} as ${this.node}#${this.incarnation}`);
    this.#guard(() => {
      const recovered = this.#storage.open();
      this.#machine = this.#restoredMachine(
        recovered.preface === undefined ? undefined : recovered.checkpoint,
      );
      const seed = this.#prng.split(this.#life).uint32();
      const options = { ...limits, lease, self: this.self, start, seed, priority: this.#priority };
      this.#replica = new Replica(options, recovered);
      replicaCheck.started(this.self);
      this.#carryOut(this.#replica.start());
    });
    this.#scheduleTick();
  }

  /** Loses power after `afterEffects` more effects. */
  crash(afterEffects: number, stopped: () => void): void {
    this.#onCrash = stopped;
    this.#effectsUntilCrash = afterEffects;
    if (afterEffects === 0) this.#stop("crashed");
  }

  /** Takes back a crash that has not happened yet. */
  cancelCrash(): void {
    this.#effectsUntilCrash = undefined;
    this.#onCrash = () => {};
  }

  pause(): void {
    this.#pauses += 1;
  }

  resume(): void {
    this.#pauses = Math.max(0, this.#pauses - 1);
    if (this.#pauses > 0 || this.isDown) return;
    const missed = this.#missedTicks;
    const waiting = this.#inbox;
    this.#missedTicks = 0;
    this.#inbox = [];
    if (missed > 0) this.#step({ kind: "tick", ticks: missed });
    for (const input of waiting) this.#feed(input);
  }

  receive(envelope: Envelope): void {
    this.#feed(() => this.#step({ kind: "received", ...envelope }));
  }

  request(process: number, request: ClientRequest): void {
    this.#feed(() => {
      const { attempt } = request;
      if (request.kind === "read") {
        this.#lastReadId += 1;
        this.#reads.set(this.#lastReadId, { process, attempt, key: request.key });
        this.#step({ kind: "readRequested", id: this.#lastReadId });
        return;
      }
      const { client, sequence, command } = request;
      this.#proposals.set(`${client}.${sequence}`, { process, attempt });
      this.#step({ kind: "proposed", proposals: [{ client, sequence, command }] });
    });
  }

  /** An input from the operator: a transfer, a membership change. */
  command(input: Extract<Input, { kind: "transferRequested" | "membershipRequested" }>): void {
    this.#feed(() => this.#step(input));
  }

  /** Stops the node for good, or until it is booted again. */
  stop(reason: DownReason): void {
    this.#stop(reason);
  }

  #restoredMachine(checkpoint: { slot: number; prefaceSize: number } | undefined): RegisterMachine {
    if (checkpoint === undefined) return new RegisterMachine();
    const image = this.#storage.readImage(checkpoint.slot);
    if (image === undefined || image === "io-error")
      throw new Error(`Cannot restore the image at ${checkpoint.slot}`);
    return RegisterMachine.fromImage(image.subarray(checkpoint.prefaceSize));
  }

  #scheduleTick(): void {
    const { scheduler, tickUs } = this.#environment;
    this.#tick?.cancel();
    this.#tick = scheduler.after(this.clock.duration(tickUs), () => {
      if (this.isDown) return;
      this.#scheduleTick();
      if (this.#pauses > 0) this.#missedTicks += 1;
      else this.#step({ kind: "tick" });
    });
  }

  /** Runs `input` now, or when the pause is over, or never if the node stops before. */
  #feed(input: () => void): void {
    if (this.isDown) return;
    if (this.#pauses > 0) this.#inbox.push(input);
    else input();
  }

  /** As `#feed`, for what ends later in this life of the node. */
  #later(input: () => void): () => void {
    const life = this.#life;
    return () => {
      if (this.#life === life) this.#feed(input);
    };
  }

  #step(input: Input): void {
    const replica = this.#replica;
    if (this.isDown || replica === undefined) return;
    const { trace, scheduler } = this.#environment;
    trace.add(scheduler.nowUs, this.node, () => describeInput(input));
    this.#guard(() => this.#carryOut(replica.step(input)));
  }

  /** Runs the code under test. A disk that lost what must not be lost ends this incarnation; anything else thrown is a failure. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof PaxosError) || !DISK_LOST_CODES.has(error.code)) throw error;
      const { trace, scheduler } = this.#environment;
      trace.add(scheduler.nowUs, this.node, () => `the disk is lost: ${error.code} ${error.message}`);
      this.#requireLoss(error.message);
      this.#stop("disk-lost");
    }
  }

  /** A replica that gives up its disk must have a reason. */
  #requireLoss(message: string): void {
    if (!this.#environment.isDiskLost(this.node))
      throw new SimulationFailure("crash", "disk-given-up", message);
  }

  #carryOut(effects: readonly Effect[]): void {
    const life = this.#life;
    for (const effect of effects) {
      if (!this.#mayGoOn(life)) return;
      this.#perform(effect, life);
    }
    const replica = this.#replica;
    if (this.#life !== life || this.isDown || replica === undefined) return;
    const status = replica.status();
    this.#status = status;
    this.#environment.replicaCheck.stepped(status);
  }

  /** Counts an effect. False when the node is to stop before it. */
  #mayGoOn(life: number): boolean {
    if (this.#life !== life || this.isDown) return false;
    if (this.#effectsUntilCrash === undefined) return true;
    if (this.#effectsUntilCrash === 0) {
      this.#stop("crashed");
      return false;
    }
    this.#effectsUntilCrash -= 1;
    return true;
  }

  #perform(effect: Effect, life: number): void {
    const { trace, scheduler, freezes } = this.#environment;
    trace.add(scheduler.nowUs, this.node, () => describeEffect(effect));
    if (freezes) deepFreeze(effect);
    switch (effect.kind) {
      case "persist":
        this.#persist(effect);
        break;
      case "send":
        this.#send(effect.envelope);
        break;
      case "decided":
        this.#apply(effect.first, effect.entries);
        break;
      case "alreadyDecided":
        this.#answer(effect.proposal.client, effect.proposal.sequence);
        break;
      case "proposalRefused":
        this.#refuse(effect.proposal.client, effect.proposal.sequence, effect.refusal);
        break;
      case "readReady":
        this.#serveRead(effect.id, effect.index);
        break;
      case "readRefused": {
        const read = this.#reads.get(effect.id);
        this.#reads.delete(effect.id);
        if (read !== undefined) this.#replyRefused(read.process, read.attempt, effect.refusal);
        break;
      }
      case "takeCheckpoint":
        this.#takeCheckpoint(effect.slot, effect.preface);
        break;
      case "readChunk":
        scheduler.after(
          50,
          this.#later(() => this.#readChunk(effect)),
        );
        break;
      case "restore":
        scheduler.after(
          50,
          this.#later(() => this.#restore(effect)),
        );
        break;
      case "fenced":
        this.#onFenced(effect, life);
        break;
      case "configured":
      case "leaderChanged":
      case "transferRefused":
      case "membershipRefused":
        break;
    }
  }

  #persist({ write, settled, records, release }: Extract<Effect, { kind: "persist" }>): void {
    const life = this.#life;
    this.#storage.write(write, settled, records, (error) => {
      if (this.#life !== life) return;
      this.#feed(() => {
        if (error !== undefined) {
          this.#step({ kind: "storageFailed", message: error });
          return;
        }
        this.#wasDurable = true;
        for (const envelope of release) {
          if (!this.#mayGoOn(life)) return;
          this.#send(envelope);
        }
        this.#step({ kind: "persisted", write });
      });
    });
  }

  #send(envelope: Envelope): void {
    this.#environment.acceptorCheck.sent(envelope);
    this.#environment.send(envelope);
  }

  #apply(first: number, entries: Extract<Effect, { kind: "decided" }>["entries"]): void {
    const { replicaCheck } = this.#environment;
    entries.forEach((entry, index) => {
      const slot = first + index;
      replicaCheck.delivered(this.self, slot, this.#machine.index, entry);
      if (entry.kind === "command") {
        this.#machine.apply(slot, entry.client, entry.sequence, entry.command);
      } else {
        this.#machine.skip(slot, entry.kind);
      }
      replicaCheck.applied(this.self, this.#machine.index, this.#machine.hash);
      if (entry.kind === "duplicate" && entry.appliedAt === 0) this.#refuseExpired(entry);
      else if (entry.kind === "command" || entry.kind === "duplicate")
        this.#answer(entry.client, entry.sequence);
    });
  }

  /** A repetition older than its client's window: whoever still asks for it can only be told that. */
  #refuseExpired({ client, sequence }: { client: number; sequence: number }): void {
    this.#refuse(client, sequence, {
      code: "KHONSU_SESSION_EXPIRED",
      retryable: false,
      leader: undefined,
    });
  }

  /** Answers the process that waits here for a command, from what the state machine remembers. */
  #answer(client: number, sequence: number): void {
    const waiting = this.#proposals.get(`${client}.${sequence}`);
    if (waiting === undefined) return;
    this.#proposals.delete(`${client}.${sequence}`);
    const answer = this.#machine.answer(client, sequence);
    if (answer === undefined) {
      throw new SimulationFailure(
        "safety",
        "answer-lost",
        `Command ${client}.${sequence} is decided and has no answer`,
      );
    }
    const { process, attempt } = waiting;
    this.#environment.reply(this.node, process, { kind: "answered", attempt, answer });
  }

  #refuse(
    client: number,
    sequence: number,
    refusal: { code: string; retryable: boolean; leader: number | undefined },
  ): void {
    const waiting = this.#proposals.get(`${client}.${sequence}`);
    this.#proposals.delete(`${client}.${sequence}`);
    if (waiting !== undefined) this.#replyRefused(waiting.process, waiting.attempt, refusal);
  }

  #replyRefused(
    process: number,
    attempt: number,
    { code, retryable, leader }: { code: string; retryable: boolean; leader: number | undefined },
  ): void {
    const node = leader === undefined ? undefined : Math.floor(leader / 2 ** 32);
    this.#environment.reply(this.node, process, { kind: "refused", attempt, code, retryable, leader: node });
  }

  #serveRead(id: number, index: number): void {
    const read = this.#reads.get(id);
    this.#reads.delete(id);
    if (read === undefined) return;
    if (this.#machine.index < index) {
      throw new SimulationFailure(
        "safety",
        "read-too-early",
        `Read ${id} needs ${index}, applied is ${this.#machine.index}`,
      );
    }
    const value = this.#machine.read(read.key);
    this.#environment.reply(this.node, read.process, { kind: "value", attempt: read.attempt, value });
  }

  #takeCheckpoint(slot: number, preface: Uint8Array): void {
    if (slot !== this.#machine.index) {
      throw new SimulationFailure(
        "safety",
        "checkpoint-index",
        `Asked for an image at ${slot}, applied is ${this.#machine.index}`,
      );
    }
    const state = this.#machine.image();
    const image = new Uint8Array(preface.length + state.length);
    image.set(preface);
    image.set(state, preface.length);
    const life = this.#life;
    this.#storage.saveImage(slot, image, (error) => {
      if (this.#life !== life) return;
      this.#feed(() => {
        if (error !== undefined) this.#step({ kind: "storageFailed", message: error });
        else
          this.#step({
            kind: "checkpointTaken",
            slot: slot as Status["applied"],
            size: image.length,
            checksum: crc32c(image),
          });
      });
    });
  }

  #readChunk({ to, slot, offset, length }: Extract<Effect, { kind: "readChunk" }>): void {
    const image = this.#storage.readImage(slot);
    if (image === "io-error") this.#step({ kind: "storageFailed", message: "io-error" });
    else this.#step({ kind: "chunkRead", to, slot, offset, bytes: image?.slice(offset, offset + length) });
  }

  #restore({ checkpoint }: Extract<Effect, { kind: "restore" }>): void {
    const image = this.#storage.readImage(checkpoint.slot);
    const isWhole = image !== undefined && image !== "io-error" && crc32c(image) === checkpoint.checksum;
    if (!isWhole) {
      ensure(
        this.#storage.isImageDamaged(checkpoint.slot),
        "image-wrong",
        () => `the image at ${checkpoint.slot} became current here, and is not the one that was offered`,
      );
      this.#step({ kind: "storageFailed", message: "the image to restore cannot be read" });
      return;
    }
    this.#machine = RegisterMachine.fromImage(image.subarray(checkpoint.prefaceSize));
    this.#environment.replicaCheck.applied(this.self, this.#machine.index, this.#machine.hash);
    this.#step({ kind: "restored", slot: checkpoint.slot, preface: image.slice(0, checkpoint.prefaceSize) });
  }

  #onFenced({ code, message }: Extract<Effect, { kind: "fenced" }>, life: number): void {
    if (DISK_LOST_CODES.has(code)) {
      this.#requireLoss(message);
      if (this.#life === life) this.#stop("disk-lost");
    } else if (code === "KHONSU_STORAGE_FAILED") {
      if (this.#life === life) this.#stop("fenced");
    } else {
      throw new SimulationFailure("crash", code, message);
    }
  }

  #stop(reason: DownReason): void {
    this.#life += 1;
    this.downReason = reason;
    this.#tick?.cancel();
    this.#effectsUntilCrash = undefined;
    this.#pauses = 0;
    this.#inbox = [];
    this.#missedTicks = 0;
    this.disk.crash();
    const onCrash = this.#onCrash;
    this.#onCrash = () => {};
    onCrash();
  }
}
