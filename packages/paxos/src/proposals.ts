/**
 * The way of a proposal at one replica: into the leader's queue, or to the leader by `forwarding.ts`, or back with a refusal.
 * A replica that stops leading pursues what it had not decided by way of the next leader; sessions see to it that a
 * proposal on two ways is applied once (PX-15).
 */
import type { Context } from "./context.ts";
import type { DecidedEntry, Entry, Proposal, ProposalId } from "./entry.ts";
import { type RefusalCode, refusal } from "./errors.ts";
import { Forwarding } from "./forwarding.ts";
import type { Leader } from "./leader.ts";
import type { ReplicaId } from "./replica-id.ts";
import type { Sessions } from "./sessions.ts";

export class Proposals {
  private readonly context: Context;
  private readonly sessions: Sessions;
  private readonly forwarding: Forwarding;

  constructor(context: Context, sessions: Sessions) {
    this.context = context;
    this.sessions = sessions;
    this.forwarding = new Forwarding(context);
  }

  get forwarded(): number {
    return this.forwarding.size;
  }

  /** A client of this replica wants `proposal` decided. */
  propose(
    proposal: Proposal,
    leader: Leader | undefined,
    known: ReplicaId | undefined,
    retired: boolean,
  ): void {
    const code = retired ? "KHONSU_REPLICA_STOPPED" : this.problemWith(proposal);
    if (code !== undefined) {
      this.refuse(proposal, code, known);
      return;
    }
    const verdict = this.sessions.lookUp(proposal.client, proposal.sequence);
    if (verdict === "expired") {
      this.refuse(proposal, "KHONSU_SESSION_EXPIRED", known);
      return;
    }
    if (verdict !== "new") {
      const { client, sequence } = proposal;
      this.context.outbox.emit({
        kind: "alreadyDecided",
        proposal: { client, sequence },
        slot: verdict,
      });
      return;
    }
    if (leader !== undefined) {
      if (!leader.take(proposal)) this.refuse(proposal, "KHONSU_OVERLOADED", known);
    } else if (!this.context.options.forward) {
      this.refuse(proposal, "KHONSU_NOT_LEADER", known);
    } else if (this.forwarding.isFull) {
      this.refuse(proposal, "KHONSU_OVERLOADED", known);
    } else this.forwarding.add(proposal);
  }

  private problemWith({ command }: Proposal): RefusalCode | undefined {
    return command.length > this.context.options.batchBytesMax ? "KHONSU_COMMAND_TOO_LARGE" : undefined;
  }

  private refuse({ client, sequence }: ProposalId, code: RefusalCode, known: ReplicaId | undefined): void {
    const message = `Cannot propose command ${sequence} of client ${client}: ${REASON[code] ?? code}`;
    this.context.outbox.emit({
      kind: "proposalRefused",
      proposal: { client, sequence },
      refusal: refusal(code, message, known),
    });
  }

  /** Another replica forwards proposals to this one, the leader. */
  onForward(from: ReplicaId, proposals: readonly Proposal[], leader: Leader): void {
    const refused: ProposalId[] = [];
    for (const proposal of proposals) {
      const { client, sequence } = proposal;
      if (this.sessions.lookUp(client, sequence) !== "new") continue;
      if (!leader.take(proposal)) refused.push({ client, sequence });
    }
    if (refused.length === 0) return;
    this.context.outbox.send(from, { kind: "forwardRefused", proposals: refused, code: "KHONSU_OVERLOADED" });
  }

  onForwardRefused(proposals: readonly ProposalId[]): void {
    this.forwarding.postpone(proposals);
  }

  forward(leader: ReplicaId): void {
    this.forwarding.send(leader);
  }

  onLeaderChanged(): void {
    this.forwarding.restart();
  }

  onTick(known: ReplicaId | undefined): void {
    const message = "Cannot tell whether the proposal is decided: it was not in time, and may be later";
    this.forwarding.expire(() => refusal("KHONSU_OUTCOME_UNKNOWN", message, known));
  }

  /** This replica leads now: what it forwarded goes into its own queue, in order. */
  onLeading(leader: Leader): void {
    for (const proposal of this.forwarding.takeAll()) {
      if (!leader.take(proposal)) this.refuse(proposal, "KHONSU_OUTCOME_UNKNOWN", this.context.self);
    }
  }

  /** This replica leads no more: what it had in flight and in its queue is the next leader's to decide. */
  onResigned(leader: Leader, undecided: readonly Entry[]): void {
    for (const entry of undecided) {
      if (entry.kind === "command") this.pursue(entry);
    }
    for (const proposal of leader.queue.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY))
      this.pursue(proposal);
  }

  private pursue({ client, sequence, command }: Proposal): void {
    if (!this.context.options.forward || this.forwarding.isFull) {
      this.refuse({ client, sequence }, "KHONSU_OUTCOME_UNKNOWN", undefined);
    } else this.forwarding.add({ client, sequence, command });
  }

  onDelivered(entries: readonly DecidedEntry[]): void {
    if (this.forwarding.size === 0) return;
    for (const entry of entries) {
      if (entry.kind === "command" || entry.kind === "duplicate") this.forwarding.settle(entry);
    }
  }
}

const REASON: Partial<Record<RefusalCode, string>> = {
  KHONSU_REPLICA_STOPPED: "the replica was removed",
  KHONSU_COMMAND_TOO_LARGE: "it exceeds batchBytesMax",
  KHONSU_SESSION_EXPIRED: "it is older than the client's window",
  KHONSU_OVERLOADED: "the queue is full",
  KHONSU_NOT_LEADER: "another replica leads",
  KHONSU_OUTCOME_UNKNOWN: "the leader changed, it may be decided later",
};
