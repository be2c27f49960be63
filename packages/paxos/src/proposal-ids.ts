/** Which proposals are on their way through the leader, so that a repeated one costs no slot of its own (PX-15). */
import type { ProposalId } from "./entry.ts";

export class ProposalIds {
  private readonly sequences = new Map<number, Set<number>>();

  has({ client, sequence }: ProposalId): boolean {
    return this.sequences.get(client)?.has(sequence) ?? false;
  }

  add({ client, sequence }: ProposalId): void {
    const known = this.sequences.get(client);
    if (known === undefined) this.sequences.set(client, new Set([sequence]));
    else known.add(sequence);
  }

  delete({ client, sequence }: ProposalId): void {
    const known = this.sequences.get(client);
    if (known === undefined) return;
    known.delete(sequence);
    if (known.size === 0) this.sequences.delete(client);
  }
}
