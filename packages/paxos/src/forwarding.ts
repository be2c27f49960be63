/**
 * Proposals that a replica pursues on behalf of its clients while another leads: sent to the leader, sent again after a while
 * or when the leader changes, until they are decided or time runs out. Sending twice is harmless (PX-15). Bounded.
 */
import type { Context } from "./context.ts";
import type { Proposal, ProposalId } from "./entry.ts";
import type { Refusal } from "./errors.ts";
import type { ReplicaId } from "./replica-id.ts";

interface Forwarded {
  readonly proposal: Proposal;
  readonly since: number;
  /** Tick of the last sending; undefined if it has not been sent to the present leader. */
  sentAt: number | undefined;
}

export class Forwarding {
  private readonly context: Context;
  private readonly pending = new Map<string, Forwarded>();
  /** Whether anything may be due: something came, the leader changed, or time went by. */
  private dirty = false;

  constructor(context: Context) {
    this.context = context;
  }

  get size(): number {
    return this.pending.size;
  }

  get isFull(): boolean {
    return this.pending.size >= this.context.options.forwardedMax;
  }

  add(proposal: Proposal): void {
    const key = keyOf(proposal);
    if (this.pending.has(key)) return;
    this.dirty = true;
    this.pending.set(key, { proposal, since: this.context.now, sentAt: undefined });
  }

  /** The proposal was decided, or is answered for otherwise. */
  settle(proposal: ProposalId): void {
    if (this.pending.size > 0) this.pending.delete(keyOf(proposal));
  }

  /** Takes all of them: this replica now leads. */
  takeAll(): Proposal[] {
    const proposals = [...this.pending.values()].map(({ proposal }) => proposal);
    this.pending.clear();
    return proposals;
  }

  /** Another leads: everything is to be sent to it. */
  restart(): void {
    this.dirty = true;
    for (const forwarded of this.pending.values()) forwarded.sentAt = undefined;
  }

  /** The leader was too busy: these wait for the next retry. */
  postpone(proposals: readonly ProposalId[]): void {
    for (const proposal of proposals) {
      const forwarded = this.pending.get(keyOf(proposal));
      if (forwarded !== undefined) forwarded.sentAt = this.context.now;
    }
  }

  /** Sends what is due, in batches. */
  send(leader: ReplicaId): void {
    if (this.pending.size === 0 || !this.dirty) return;
    this.dirty = false;
    const { batchBytesMax, batchEntriesMax, retryTicks } = this.context.options;
    let batch: Proposal[] = [];
    let bytes = 0;
    for (const forwarded of this.pending.values()) {
      const { proposal, sentAt } = forwarded;
      if (sentAt !== undefined && this.context.now - sentAt < retryTicks) continue;
      if (
        batch.length >= batchEntriesMax ||
        (batch.length > 0 && bytes + proposal.command.length > batchBytesMax)
      ) {
        this.context.outbox.send(leader, { kind: "forward", proposals: batch });
        batch = [];
        bytes = 0;
      }
      forwarded.sentAt = this.context.now;
      batch.push(proposal);
      bytes += proposal.command.length;
    }
    if (batch.length > 0) this.context.outbox.send(leader, { kind: "forward", proposals: batch });
  }

  /** Gives up what has waited for `proposalTimeoutTicks`. */
  expire(refusal: () => Refusal): void {
    this.dirty = true;
    for (const [key, { proposal, since }] of this.pending) {
      if (this.context.now - since < this.context.options.proposalTimeoutTicks) continue;
      this.pending.delete(key);
      const { client, sequence } = proposal;
      this.context.outbox.emit({
        kind: "proposalRefused",
        proposal: { client, sequence },
        refusal: refusal(),
      });
    }
  }
}

function keyOf({ client, sequence }: ProposalId): string {
  return `${client}/${sequence}`;
}
