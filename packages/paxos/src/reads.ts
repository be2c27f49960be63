/**
 * Linearizable reads without a log entry (read index; Ongaro 2014, §6.4). The leader notes its decided index, has an accept quorum
 * confirm that it promised nobody a higher ballot, and lets the reads go once that index is applied. A later leader needed a prepare
 * quorum, which would have met the confirming one: so nothing was acknowledged above the index before the reads began (PX-17).
 * Reads that come during a confirmation share the next one. Followers ask the leader for an index.
 */
import type { Context } from "./context.ts";
import type { Refusal } from "./errors.ts";
import type { ReplicaId } from "./replica-id.ts";
import type { Slot } from "./slot.ts";

/** Who waits for an index: a read of this replica, or a batch of another. */
export type Reader =
  | { readonly kind: "own"; readonly id: number; readonly since: number }
  | { readonly kind: "remote"; readonly replica: ReplicaId; readonly sequence: number };

interface Confirmation {
  readonly sequence: number;
  readonly index: Slot;
  readonly readers: readonly Reader[];
  readonly confirmedBy: Set<ReplicaId>;
  readonly begunAt: number;
  sentAt: number;
}

interface Request {
  readonly sequence: number;
  readonly readers: readonly Reader[];
  sentAt: number;
}

export class Reads {
  private readonly context: Context;
  private waiting: Reader[] = [];
  /** At the leader: the confirmation under way. */
  private confirmation: Confirmation | undefined;
  /** At a follower: the request under way. */
  private request: Request | undefined;
  private indexed: { readonly id: number; readonly index: Slot }[] = [];
  private confirmSequence = 0;
  private requestSequence: number;

  /** @param run makes the sequences of requests differ from those of earlier runs, whose late answers are too old. */
  constructor(context: Context, run: number) {
    this.context = context;
    this.requestSequence = run * 2 ** 30;
  }

  get length(): number {
    const shared = (this.confirmation?.readers.length ?? 0) + (this.request?.readers.length ?? 0);
    return this.waiting.length + shared + this.indexed.length;
  }

  get isFull(): boolean {
    return this.length >= this.context.options.readsMax;
  }

  add(reader: Reader): void {
    this.waiting.push(reader);
  }

  /** Takes the readers that wait, to be answered with `index` at once: the leader holds a lease. */
  answerWaiting(index: Slot): void {
    const readers = this.waiting;
    this.waiting = [];
    this.answer(readers, index);
  }

  /** Begins a confirmation at `index` if none is under way and anybody waits, or if `force` is set. Returns its sequence. */
  beginConfirmation(index: Slot, force: boolean): number | undefined {
    if (this.confirmation !== undefined || (this.waiting.length === 0 && !force)) return undefined;
    const { now } = this.context;
    const sequence = ++this.confirmSequence;
    const confirmedBy = new Set([this.context.self]);
    this.confirmation = { sequence, index, readers: this.waiting, confirmedBy, begunAt: now, sentAt: now };
    this.waiting = [];
    return sequence;
  }

  /** The sequence of a confirmation that is to be asked for again. */
  retryConfirmation(): number | undefined {
    const { confirmation } = this;
    const { now, options } = this.context;
    if (confirmation === undefined || now - confirmation.sentAt < options.retryTicks) return undefined;
    confirmation.sentAt = now;
    return confirmation.sequence;
  }

  /** Returns who has confirmed so far and since when, if the answer belongs to the confirmation under way. */
  onConfirmed(from: ReplicaId, sequence: number): Pick<Confirmation, "confirmedBy" | "begunAt"> | undefined {
    if (this.confirmation?.sequence !== sequence) return undefined;
    this.confirmation.confirmedBy.add(from);
    return this.confirmation;
  }

  get confirmedBy(): ReadonlySet<ReplicaId> | undefined {
    return this.confirmation?.confirmedBy;
  }

  /** An accept quorum has confirmed. */
  completeConfirmation(): void {
    const { confirmation } = this;
    this.confirmation = undefined;
    if (confirmation !== undefined) this.answer(confirmation.readers, confirmation.index);
  }

  private answer(readers: readonly Reader[], index: Slot): void {
    for (const reader of readers) {
      if (reader.kind === "own") this.indexed.push({ id: reader.id, index });
      else
        this.context.outbox.send(reader.replica, { kind: "readResponse", sequence: reader.sequence, index });
    }
  }

  /** Leadership is lost: own reads ask the next leader, others are told to. */
  abandonConfirmation(): void {
    const readers = [...(this.confirmation?.readers ?? []), ...this.waiting];
    this.confirmation = undefined;
    this.waiting = readers.filter((reader) => reader.kind === "own");
    this.answer(
      readers.filter((reader) => reader.kind === "remote"),
      0 as Slot,
    );
  }

  /** A follower asks `leader` for an index, or asks again. */
  ask(leader: ReplicaId): void {
    const { now, options, outbox } = this.context;
    if (this.request === undefined) {
      if (this.waiting.length === 0) return;
      this.request = { sequence: ++this.requestSequence, readers: this.waiting, sentAt: now };
      this.waiting = [];
    } else if (now - this.request.sentAt < options.retryTicks) return;
    this.request.sentAt = now;
    outbox.sendDurably(leader, { kind: "readRequest", sequence: this.request.sequence });
  }

  /** The leader changed, or this replica became it: whoever waits asks anew. */
  abandonRequest(): void {
    if (this.request === undefined) return;
    this.waiting = [...this.request.readers, ...this.waiting];
    this.request = undefined;
  }

  onResponse(sequence: number, index: Slot): void {
    const { request } = this;
    if (request?.sequence !== sequence) return;
    if (index === 0) {
      this.abandonRequest();
      return;
    }
    this.request = undefined;
    this.answer(request.readers, index);
  }

  /** Releases the reads whose index is applied. */
  release(applied: Slot): void {
    if (this.indexed.length === 0) return;
    const later = this.indexed.filter(({ index }) => index > applied);
    for (const { id, index } of this.indexed) {
      if (index <= applied) this.context.outbox.emit({ kind: "readReady", id, index });
    }
    this.indexed = later;
  }

  /** Refuses own reads that have waited longer than `ticks` for an index. */
  expire(ticks: number, refusal: () => Refusal): void {
    if (this.request === undefined && this.waiting.length === 0) return;
    const isLate = (reader: Reader): boolean =>
      reader.kind === "own" && this.context.now - reader.since >= ticks;
    const late = this.waiting.filter(isLate);
    this.waiting = this.waiting.filter((reader) => !isLate(reader));
    if (this.request?.readers.every(isLate)) {
      late.push(...this.request.readers);
      this.request = undefined;
    }
    for (const reader of late) {
      if (reader.kind === "own")
        this.context.outbox.emit({ kind: "readRefused", id: reader.id, refusal: refusal() });
    }
  }
}
