/**
 * Everybody who waits for a driver: proposals, reads, transfers of leadership, changes of the membership. Each is answered once, by what
 * the replica says, by what was applied, or by the loss of the leadership that it took.
 */
import type { Configuration } from "../configuration.ts";
import type { Effect } from "../effect.ts";
import type { DuplicateEntry } from "../entry.ts";
import { refusal } from "../errors.ts";
import type { ReplicaId } from "../replica-id.ts";
import { NO_SLOT, type Slot } from "../slot.ts";
import { Outcomes } from "./outcomes.ts";
import { RefusedError, Waiting } from "./waiting.ts";

export class Answers {
  readonly outcomes = new Outcomes();
  readonly reads = new Waiting<number, Slot>();
  readonly transfers = new Waiting<ReplicaId, void>();
  readonly changes = new Waiting<string, Configuration>();

  /** Answers those whom `effect` is for, if it is for any. */
  onEffect(effect: Effect): void {
    switch (effect.kind) {
      case "alreadyDecided":
        this.outcomes.resolve(effect.proposal, { slot: effect.slot, result: undefined });
        break;
      case "proposalRefused":
        this.outcomes.reject(effect.proposal, new RefusedError(effect.refusal));
        break;
      case "readReady":
        this.reads.resolve(effect.id, effect.index);
        break;
      case "readRefused":
        this.reads.reject(effect.id, new RefusedError(effect.refusal));
        break;
      case "transferRefused":
        this.transfers.reject(effect.to, new RefusedError(effect.refusal));
        break;
      case "membershipRefused":
        this.changes.reject(JSON.stringify(effect.change), new RefusedError(effect.refusal));
        break;
      case "configured":
        // One change is under way at a time, so whoever waits waits for this one.
        this.changes.resolveAll(effect.configuration);
        break;
    }
  }

  /** A duplicate older than the client's window may never have been applied: that much is no longer known. */
  onDuplicate(entry: DuplicateEntry): void {
    const { appliedAt, client, sequence } = entry;
    const message = `Cannot tell whether command ${sequence} of client ${client} was applied: it is older than the client's window`;
    if (appliedAt !== NO_SLOT) this.outcomes.resolve(entry, { slot: appliedAt, result: undefined });
    else this.outcomes.reject(entry, new RefusedError(refusal("KHONSU_SESSION_EXPIRED", message, undefined)));
  }

  /** Answers whoever waits for what only the leader before could do. `leader` may be this replica, in another ballot. */
  onLeadershipLost(leader: ReplicaId | undefined): void {
    if (leader !== undefined) this.transfers.resolve(leader, undefined);
    const taken = refusal("KHONSU_NOT_LEADER", "Cannot hand over: leadership was lost meanwhile", leader);
    this.transfers.rejectAll(new RefusedError(taken));
    const lost = refusal(
      "KHONSU_OUTCOME_UNKNOWN",
      "Cannot tell whether the change is decided: leadership was lost",
      leader,
    );
    this.changes.rejectAll(new RefusedError(lost));
  }

  /** The replica serves no more. */
  rejectAll(reason: string): void {
    const error = stopped(reason);
    for (const waiting of [this.outcomes, this.reads, this.transfers, this.changes]) waiting.rejectAll(error);
  }
}

/** The error of who asks a replica that serves no more. */
export function stopped(reason: string): RefusedError {
  return new RefusedError(refusal("KHONSU_REPLICA_STOPPED", `Cannot serve: ${reason}`, undefined));
}
