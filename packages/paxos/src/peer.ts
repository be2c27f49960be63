/** What the leader knows of one other member, and what it has sent it. */
import type { ReplicaId } from "./replica-id.ts";
import { NO_SLOT, type Slot, slotAfter } from "./slot.ts";

export class Peer {
  readonly replica: ReplicaId;
  /** The member is durable up to here under the leader's ballot. Only rises. */
  match: Slot = NO_SLOT;
  /** The first slot not sent yet. */
  next: Slot;
  /** The decided index last told. */
  told: Slot = NO_SLOT;
  private toldAt = 0;
  /** The decided index that the member told last. */
  decided: Slot = NO_SLOT;
  /** What the last answer said; below `match` when an old answer comes late or an entry turned out to be damaged. */
  private answered: Slot = NO_SLOT;
  private progressAt: number;
  private heardAt: number;
  private readonly patience: number;

  /** @param patience ticks of silence after which nothing more is pushed to the member. */
  constructor(replica: ReplicaId, next: Slot, now: number, patience: number) {
    this.replica = replica;
    this.next = next;
    this.progressAt = now;
    this.heardAt = now;
    this.patience = patience;
  }

  heard(now: number): void {
    this.heardAt = now;
  }

  isResponsive(now: number): boolean {
    return now - this.heardAt <= this.patience;
  }

  sent(next: Slot, decided: Slot, now: number): void {
    if (this.answered >= this.next - 1) this.progressAt = now;
    this.next = next;
    this.wasTold(decided, now);
  }

  wasTold(decided: Slot, now: number): void {
    this.told = decided;
    this.toldAt = now;
  }

  /** Whether the member has not confirmed the decided index that it was told, for `retryTicks`. */
  isUnsure(now: number, retryTicks: number, decided: Slot): boolean {
    return this.decided < decided && now - this.toldAt >= retryTicks;
  }

  onAccepted(through: Slot, decided: Slot, now: number): void {
    if (decided > this.decided) this.decided = decided;
    if (through > this.answered) this.progressAt = now;
    this.answered = through;
    if (through > this.match) this.match = through;
    if (through >= this.next) this.next = slotAfter(through);
    this.heardAt = now;
  }

  /** Goes back to the first slot that the member did not confirm, if it has been silent about it for `retryTicks`. */
  retry(now: number, retryTicks: number, last: Slot, decided: Slot): void {
    const confirmed = Math.max(this.answered, decided) as Slot;
    if (confirmed >= last || now - this.progressAt < retryTicks) return;
    this.progressAt = now;
    this.next = slotAfter(confirmed);
  }
}
