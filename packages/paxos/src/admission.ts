/**
 * Whether this replica is one of its group: what it writes of its identity, whether it votes yet, and whether it still does anything at
 * all (PX-12). A replica that began with an empty disk takes no part in any vote before it sees itself a learner in a configuration as
 * late as the leader's; one that was removed never comes back.
 */
import type { Configuration } from "./configuration.ts";
import type { Context } from "./context.ts";
import type { Learner } from "./learner.ts";
import { isLearner } from "./membership.ts";
import type { Slot } from "./slot.ts";

/** What an identity record says besides whether the replica is admitted. */
export interface Origin {
  readonly genesis: Configuration | undefined;
  readonly run: number;
}

export class Admission {
  private readonly context: Context;
  private readonly learner: Learner;
  private readonly origin: Origin;
  private isAdmitted: boolean;
  private isRetired = false;
  /** The decided index of the first leader heard of, up to which a replica that joins must catch up before it is admitted. */
  private admissionAt: Slot | undefined;

  constructor(context: Context, learner: Learner, origin: Origin, admitted: boolean) {
    this.context = context;
    this.learner = learner;
    this.origin = origin;
    this.isAdmitted = admitted;
  }

  /** Whether this replica votes at all. */
  get admitted(): boolean {
    return this.isAdmitted;
  }

  /** Whether a decided configuration has removed it. */
  get retired(): boolean {
    return this.isRetired;
  }

  record(): void {
    const { genesis, run } = this.origin;
    const { isAdmitted: admitted } = this;
    this.context.outbox.record({ kind: "identity", replica: this.context.self, genesis, run, admitted });
  }

  /** A leader tells its decided index. */
  noteLeader(decided: Slot): void {
    this.admissionAt ??= decided;
  }

  /** If it comes back under an identity that had a vote, it finds itself a voter, and abstains. */
  seek(): void {
    const { applied, configuration } = this.learner;
    if (this.isAdmitted || this.admissionAt === undefined || applied < this.admissionAt) return;
    if (!isLearner(configuration, this.context.self)) return;
    this.isAdmitted = true;
    this.record();
  }

  retire(): void {
    if (this.isRetired) return;
    this.isRetired = true;
    this.context.outbox.emit({ kind: "retired" });
  }
}
