/** Proposals that wait for a place in flight at the leader: first in, first out, bounded in entries and in bytes. */
import type { Proposal } from "./entry.ts";
import type { ResolvedOptions } from "./options.ts";

const COMPACT_AT = 1024;

export class ProposalQueue {
  private readonly options: ResolvedOptions;
  private items: Proposal[] = [];
  private head = 0;
  private bytes = 0;

  constructor(options: ResolvedOptions) {
    this.options = options;
  }

  get length(): number {
    return this.items.length - this.head;
  }

  /** Returns false, and takes nothing, when the queue is full. */
  push(proposal: Proposal): boolean {
    const { queueEntriesMax, queueBytesMax } = this.options;
    if (this.length >= queueEntriesMax || this.bytes + proposal.command.length > queueBytesMax) return false;
    this.items.push(proposal);
    this.bytes += proposal.command.length;
    return true;
  }

  /** Takes from the front, at most `entries` of together at most `bytes`. */
  take(entries: number, bytes: number): Proposal[] {
    let end = this.head;
    let size = 0;
    while (end < this.items.length && end - this.head < entries) {
      size += this.items[end]!.command.length;
      if (size > bytes) break;
      end++;
    }
    const taken = this.items.slice(this.head, end);
    for (const proposal of taken) this.bytes -= proposal.command.length;
    this.head = end;
    this.compact();
    return taken;
  }

  private compact(): void {
    if (this.head === this.items.length) this.items = [];
    else if (this.head >= COMPACT_AT) this.items = this.items.slice(this.head);
    else return;
    this.head = 0;
  }
}
