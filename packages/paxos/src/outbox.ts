/**
 * Collects the effects of one step and numbers the writes. A message that speaks of durable state is released by the write
 * that makes it true, or by a barrier after the writes under way (PX-3).
 */
import type { DurableRecord } from "./durable-record.ts";
import type { Effect, WriteId } from "./effect.ts";
import { invariant } from "./errors.ts";
import type { Envelope, Message } from "./message.ts";
import type { ReplicaId } from "./replica-id.ts";

const NO_EFFECTS: readonly Effect[] = Object.freeze([]);

export class Outbox {
  private readonly self: ReplicaId;
  private records: DurableRecord[] = [];
  private release: Envelope[] = [];
  private effects: Effect[] = [];
  private issued = 0 as WriteId;
  private durableThrough = 0 as WriteId;
  /** The last write that carried records and that no later write has declared settled; 0 if there is none. */
  private unsettled = 0 as WriteId;
  private settling = false;
  /** When each outstanding write was issued, oldest first. */
  private readonly outstanding: { readonly write: WriteId; readonly issuedAt: number }[] = [];

  constructor(self: ReplicaId) {
    this.self = self;
  }

  /** Adds a record to this step's write. */
  record(record: DurableRecord): void {
    this.records.push(record);
  }

  get hasRecords(): boolean {
    return this.records.length > 0;
  }

  /** The write that this step's records go with; once it is durable, so is all that was recorded so far. */
  get barrier(): WriteId {
    return (this.records.length > 0 ? this.issued + 1 : this.issued) as WriteId;
  }

  get durable(): WriteId {
    return this.durableThrough;
  }

  get writesOutstanding(): number {
    return this.outstanding.length;
  }

  /** Tick at which the oldest outstanding write was issued; undefined if none is. */
  get oldestWriteAt(): number | undefined {
    return this.outstanding[0]?.issuedAt;
  }

  /** Sends once all that has been recorded is durable. */
  sendDurably(to: ReplicaId, message: Message): void {
    this.release.push({ from: this.self, to, message });
  }

  /** Sends something that depends on no write. */
  send(to: ReplicaId, message: Message): void {
    this.effects.push({ kind: "send", envelope: { from: this.self, to, message } });
  }

  emit(effect: Exclude<Effect, { kind: "persist" | "send" }>): void {
    this.effects.push(effect);
  }

  onPersisted(write: WriteId): void {
    invariant(
      write <= this.issued,
      "PX-3",
      `write ${write} was reported durable, only ${this.issued} were issued`,
    );
    if (write > this.durableThrough) this.durableThrough = write;
    while (this.outstanding.length > 0 && this.outstanding[0]!.write <= write) this.outstanding.shift();
  }

  /** Makes this step write, if the disk is idle and does not know yet that its last write was acknowledged. */
  settle(): void {
    this.settling = this.unsettled > 0 && this.outstanding.length === 0;
  }

  get isSettling(): boolean {
    return this.settling;
  }

  /** The effects of this step: the write first, if there is one. */
  take(now: number): readonly Effect[] {
    const { effects, release, records } = this;
    const waits = release.length > 0 && (records.length > 0 || this.durableThrough < this.issued);
    if (records.length > 0 || waits || this.settling) {
      effects.unshift(this.write(now));
    } else if (release.length > 0) {
      effects.unshift(...release.map((envelope): Effect => ({ kind: "send", envelope })));
      this.release = [];
    }
    if (effects.length === 0) return NO_EFFECTS;
    this.effects = [];
    return effects;
  }

  /** Drops what was collected: the step failed. */
  discard(): void {
    this.records = [];
    this.release = [];
    this.effects = [];
    this.settling = false;
  }

  private write(now: number): Effect {
    const { records, release } = this;
    this.issued = (this.issued + 1) as WriteId;
    this.outstanding.push({ write: this.issued, issuedAt: now });
    if (records.length > 0) this.unsettled = this.issued;
    else if (this.durableThrough >= this.unsettled) this.unsettled = 0 as WriteId;
    this.records = [];
    this.release = [];
    this.settling = false;
    return { kind: "persist", write: this.issued, settled: this.durableThrough, records, release };
  }
}
