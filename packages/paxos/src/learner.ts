/**
 * What is decided, and its delivery to the state machine in slot order, each slot once a run (PX-7). Keeps what is a function
 * of the decided log: the chain checksum (PX-13), the sessions (PX-15) and the configuration (PX-11).
 */

import type { Checkpoint } from "./checkpoint.ts";
import { chainAfter } from "./checksum.ts";
import type { Configuration } from "./configuration.ts";
import type { Context } from "./context.ts";
import { type DecidedEntry, type Entry, sizeOf } from "./entry.ts";
import { invariant } from "./errors.ts";
import { ImagePace } from "./image-pace.ts";
import { Sessions } from "./sessions.ts";
import { NO_SLOT, type Slot, slotAfter } from "./slot.ts";

/** An image that the state machine was asked for, or is being replaced by. */
interface ImageUnderWay {
  readonly slot: Slot;
  readonly chain: number;
  readonly configuration: Configuration;
  readonly prefaceSize: number;
}

/** Who is told what was delivered. */
export interface LearnerEvents {
  delivered(entries: readonly DecidedEntry[]): void;
  configured(at: Slot, configuration: Configuration): void;
}

export class Learner {
  private readonly context: Context;
  private readonly events: LearnerEvents;
  readonly sessions: Sessions;
  private decidedThrough: Slot = NO_SLOT;
  private appliedThrough: Slot = NO_SLOT;
  private chainNow = 0;
  private current: Configuration | undefined;
  private configuredAtSlot: Slot = NO_SLOT;
  private asked: ImageUnderWay | undefined;
  private restoringTo: Checkpoint | undefined;
  private readonly pace: ImagePace;

  constructor(context: Context, genesis: Configuration | undefined, events: LearnerEvents) {
    this.context = context;
    this.events = events;
    this.sessions = new Sessions(context.options.sessionWindow, context.options.sessionsMax);
    this.pace = new ImagePace(context.options);
    this.current = genesis;
  }

  /** Every slot up to here is known to be decided. */
  get decided(): Slot {
    return this.decidedThrough;
  }

  /** Every slot up to here was delivered. */
  get applied(): Slot {
    return this.appliedThrough;
  }

  /** The chain checksum at the applied index. */
  get chain(): number {
    return this.chainNow;
  }

  /** What governs the slots after the applied index. */
  get configuration(): Configuration | undefined {
    return this.current;
  }

  /** The slot of the entry that made the current configuration; 0 if it is the genesis or from an image. */
  get configuredAt(): Slot {
    return this.configuredAtSlot;
  }

  get restoring(): boolean {
    return this.restoringTo !== undefined;
  }

  /** Raises the decided index (it never falls). */
  decide(through: Slot): void {
    if (through > this.decidedThrough) this.decidedThrough = through;
  }

  /** Whether slot `at` was delivered, or can be as soon as those before it are. */
  holds(at: Slot): boolean {
    return (
      at <= this.appliedThrough || (at <= this.decidedThrough && this.context.log.entryAt(at) !== undefined)
    );
  }

  /** Delivers what is decided and here, up to the first hole. */
  deliver(): void {
    if (this.restoringTo !== undefined) return;
    const first = slotAfter(this.appliedThrough);
    const batch: DecidedEntry[] = [];
    while (this.appliedThrough < this.decidedThrough) {
      const at = slotAfter(this.appliedThrough);
      const entry = this.context.log.entryAt(at);
      if (entry === undefined) break;
      batch.push(this.apply(at, entry));
      if (entry.kind !== "membership") continue;
      this.emit(first, batch);
      this.configure(at, entry.configuration);
      this.deliver();
      return;
    }
    this.emit(first, batch);
    this.askForCheckpoint();
  }

  private apply(at: Slot, entry: Entry): DecidedEntry {
    this.appliedThrough = at;
    this.chainNow = chainAfter(this.chainNow, at, entry.checksum);
    this.context.log.setChain(at, this.chainNow);
    this.pace.onApplied(sizeOf(entry));
    if (entry.kind !== "command") return entry;
    const verdict = this.sessions.apply(entry.client, entry.sequence, at);
    if (verdict === "new") return entry;
    const appliedAt = verdict === "expired" ? NO_SLOT : verdict;
    return { kind: "duplicate", client: entry.client, sequence: entry.sequence, appliedAt };
  }

  private emit(first: Slot, entries: readonly DecidedEntry[]): void {
    if (entries.length === 0) return;
    this.context.outbox.emit({ kind: "decided", first, entries });
    this.events.delivered(entries);
  }

  private configure(at: Slot, configuration: Configuration): void {
    this.current = configuration;
    this.configuredAtSlot = at;
    this.context.outbox.emit({ kind: "configured", slot: at, configuration });
    this.events.configured(at, configuration);
  }

  private askForCheckpoint(): void {
    if (this.current === undefined || !this.pace.isDue(this.asked !== undefined)) return;
    const preface = this.sessions.encode();
    const slot = this.appliedThrough;
    this.asked = { slot, chain: this.chainNow, configuration: this.current, prefaceSize: preface.length };
    this.pace.restart();
    this.context.outbox.emit({ kind: "takeCheckpoint", slot, preface });
  }

  /** The checkpoint for an image that the driver reports; undefined if it was not asked for, or is no longer of use. */
  checkpointOf(slot: Slot, size: number, checksum: number): Checkpoint | undefined {
    const { asked } = this;
    if (asked?.slot !== slot) return undefined;
    this.asked = undefined;
    this.pace.onImage(size);
    return { ...asked, size, checksum };
  }

  /** An image above the applied index is about to replace the state machine: nothing is delivered until it has. */
  beginRestore(checkpoint: Checkpoint): void {
    invariant(
      checkpoint.slot > this.appliedThrough,
      "PX-7",
      "an image at or below the applied index is not installed",
    );
    this.restoringTo = checkpoint;
    this.asked = undefined;
    this.decide(checkpoint.slot);
  }

  /** The state machine now is the image. Returns whether it is the one awaited. */
  endRestore(slot: Slot, preface: Uint8Array): boolean {
    const checkpoint = this.restoringTo;
    if (checkpoint?.slot !== slot) return false;
    this.restoringTo = undefined;
    this.startFrom(checkpoint, preface);
    return true;
  }

  /** Takes the state that goes with an image, at the start or after a restore. */
  startFrom(checkpoint: Checkpoint, preface: Uint8Array): void {
    invariant(checkpoint.slot >= this.appliedThrough, "PX-7", "the applied index never goes back");
    this.sessions.decode(preface);
    this.appliedThrough = checkpoint.slot;
    this.chainNow = checkpoint.chain;
    this.current = checkpoint.configuration;
    this.configuredAtSlot = NO_SLOT;
    this.pace.restart();
    this.pace.onImage(checkpoint.size);
    this.context.log.setChain(checkpoint.slot, checkpoint.chain);
    this.decide(checkpoint.slot);
  }
}
