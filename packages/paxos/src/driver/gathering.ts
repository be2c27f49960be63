/**
 * Proposals on their way into the replica: those of a turn go in together, as one batch. Those of a leader gather for longer while
 * its own votes are on their way to the disk: the next votes have to wait for these, here and as a rule at the followers, whose disks are as fast. So
 * a round of replication carries all that came during the one before, instead of a message and a record each.
 *
 * What makes a full message waits for nothing, and a tick ends every wait: a disk that stalls keeps nothing from the next leader.
 */
import type { Proposal } from "../entry.ts";

export interface BatchLimits {
  readonly batchEntriesMax: number;
  readonly batchBytesMax: number;
}

export class Gathering {
  private readonly limits: BatchLimits;
  private proposals: Proposal[] = [];
  private bytes = 0;

  constructor(limits: BatchLimits) {
    this.limits = limits;
  }

  /** @returns whether somebody has to see to it this turn that it goes in: it is the first, or makes a full message */
  push(proposal: Proposal): boolean {
    this.proposals.push(proposal);
    this.bytes += proposal.command.length;
    return this.proposals.length === 1 || this.isFull;
  }

  get isEmpty(): boolean {
    return this.proposals.length === 0;
  }

  get isFull(): boolean {
    return this.proposals.length >= this.limits.batchEntriesMax || this.bytes >= this.limits.batchBytesMax;
  }

  take(): Proposal[] {
    const { proposals } = this;
    this.proposals = [];
    this.bytes = 0;
    return proposals;
  }
}
