/**
 * Refusals are data in an effect: whoever asked decides what to do. What stops a replica for good is thrown. Compare `code`
 * rather than the class, since two copies of a package defeat `instanceof`; `docs/errors.md` says what to do about each.
 */
import type { ReplicaId } from "./replica-id.ts";

export type RefusalCode =
  /** No leader is known, or forwarding is off; `leader` names it if it is known. Retryable. */
  | "KHONSU_NOT_LEADER"
  /** A queue is full. Retryable, after a pause. */
  | "KHONSU_OVERLOADED"
  /** A proposal may or may not be decided later. Retryable with the same client and sequence: it is applied once. */
  | "KHONSU_OUTCOME_UNKNOWN"
  /** The sequence is older than the client's window. Not retryable: whether it was applied is no longer known. */
  | "KHONSU_SESSION_EXPIRED"
  /** The command exceeds `batchBytesMax`. Not retryable. */
  | "KHONSU_COMMAND_TOO_LARGE"
  /** The target of a transfer is not a voter, or the leader itself. Not retryable. */
  | "KHONSU_TRANSFER_TARGET_INVALID"
  /** The target of a transfer has not flushed the tail of the log. Retryable. */
  | "KHONSU_TRANSFER_TARGET_BEHIND"
  /** Another membership change is under way, or the leader's own first entry is not decided yet. Retryable. */
  | "KHONSU_MEMBERSHIP_BUSY"
  /** The change makes no sense for the configuration, or some quorums would not meet. Not retryable. */
  | "KHONSU_MEMBERSHIP_INVALID"
  /** The learner has not caught up. Retryable. */
  | "KHONSU_LEARNER_BEHIND"
  /** The replica is fenced or was removed. Not retryable here. */
  | "KHONSU_REPLICA_STOPPED";

export interface Refusal {
  readonly code: RefusalCode;
  readonly retryable: boolean;
  /** Where to go instead, if known. */
  readonly leader: ReplicaId | undefined;
  readonly message: string;
}

export type PaxosErrorCode =
  /** Storage reported a failure, or something that must be read cannot be. */
  | "KHONSU_STORAGE_FAILED"
  /** The durable state contradicts itself, or the promise is unreadable: the node must join again under a new incarnation. */
  | "KHONSU_STORAGE_CORRUPT"
  /** The disk belongs to another replica than the options say, or is empty although no start mode was given. */
  | "KHONSU_IDENTITY_MISMATCH"
  /** Two replicas decided different histories. */
  | "KHONSU_LOG_DIVERGED"
  /** An invariant of `docs/spec/paxos.md` does not hold. A fault in Khonsu, or a driver that breaks its duties. */
  | "KHONSU_INVARIANT_VIOLATED"
  /** The replica was removed from its group. From the driver only. */
  | "KHONSU_REPLICA_RETIRED"
  /** A wrong option. */
  | "KHONSU_INVALID_OPTION";

const RETRYABLE: ReadonlySet<RefusalCode> = new Set([
  "KHONSU_NOT_LEADER",
  "KHONSU_OVERLOADED",
  "KHONSU_OUTCOME_UNKNOWN",
  "KHONSU_TRANSFER_TARGET_BEHIND",
  "KHONSU_MEMBERSHIP_BUSY",
  "KHONSU_LEARNER_BEHIND",
]);

export function refusal(code: RefusalCode, message: string, leader: ReplicaId | undefined): Refusal {
  return { code, retryable: RETRYABLE.has(code), leader, message };
}

/** What stops a replica. Never retryable. */
export class PaxosError extends Error {
  override readonly name: string = "PaxosError";
  readonly code: PaxosErrorCode;
  readonly retryable = false;

  constructor(code: PaxosErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Asserts an invariant; stays on in production, since a stopped node is better than a forked log. */
export function invariant(holds: boolean, id: string, message: string): asserts holds {
  if (!holds) throw new PaxosError("KHONSU_INVARIANT_VIOLATED", `${id}: ${message}`);
}
