/**
 * What replicas say to each other. Every message is safe to lose, to repeat, to delay and to reorder. Messages and what they
 * hold are immutable: a driver may hand the same object to several receivers. Terms follow *Paxos Made Simple* and OmniPaxos.
 */
import type { Ballot } from "./ballot.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Entry, Proposal, ProposalId } from "./entry.ts";
import type { RefusalCode } from "./errors.ts";
import type { ReplicaId } from "./replica-id.ts";
import type { Slot } from "./slot.ts";

/** One message on its way. A replica ignores what is not addressed to its very identity, incarnation included. */
export interface Envelope {
  readonly from: ReplicaId;
  readonly to: ReplicaId;
  readonly message: Message;
}

/** What a replica says about itself in each heartbeat. */
export interface Standing {
  /** The ballot under which the sender leads, phase 1 done; `ZERO_BALLOT` if it does not. */
  readonly leading: Ballot;
  /** The highest ballot that the sender has promised. */
  readonly promised: Ballot;
  /** Whether the sender is, or hears from, a leader that reaches a quorum. */
  readonly healthy: boolean;
  /** Whether the sender could lead: it votes, its disk keeps up, its last round reached a quorum. */
  readonly electable: boolean;
  /** Whether the sender's oldest outstanding write is older than an election timeout: it counts for no quorum. */
  readonly stalled: boolean;
  readonly priority: number;
  /** The sender's decided index, and the checksum chained over the log up to there; 0 when it is not known at the moment. */
  readonly decided: Slot;
  readonly chain: number;
}

/** An entry as an acceptor holds it. */
export interface AcceptedEntry {
  readonly slot: Slot;
  readonly ballot: Ballot;
  readonly entry: Entry;
}

export type Message =
  // leader election: each replica asks every member once a round
  | { readonly kind: "ping"; readonly round: number; readonly standing: Standing }
  | { readonly kind: "pong"; readonly round: number; readonly standing: Standing }
  // phase 1
  | {
      readonly kind: "prepare";
      readonly ballot: Ballot;
      /** The first slot asked for: the sender's decided index + 1, or, for the rest of a long answer, where that broke off + 1. */
      readonly from: Slot;
      /** The leader before handed over on purpose: leases it was granted do not stand in the way. */
      readonly transfer: boolean;
    }
  | {
      readonly kind: "promise";
      readonly ballot: Ballot;
      /** The acceptor's decided index: the proposer must learn what is decided up to there before it proposes. */
      readonly decided: Slot;
      readonly from: Slot;
      /** This answer covers the slots `from` to `through`; 0 when it covers all from `from` on. */
      readonly through: Slot;
      /** What the acceptor accepted in the slots covered and above `decided`, in slot order. */
      readonly entries: readonly AcceptedEntry[];
      /** Slots covered where it accepted something that it can no longer read: it neither affirms nor denies (PX-14). */
      readonly doubtful: readonly Slot[];
      /** What it accepted in a doubtful slot carried at most this ballot. */
      readonly doubtBound: Ballot;
    }
  /** Refuses a prepare or an accept of `ballot`. */
  | { readonly kind: "nack"; readonly ballot: Ballot; readonly promised: Ballot }
  // phase 2
  | {
      readonly kind: "accept";
      readonly ballot: Ballot;
      readonly first: Slot;
      /** For the slots from `first` on; empty when only the decided index is told. */
      readonly entries: readonly Entry[];
      /** The leader's decided index. */
      readonly decided: Slot;
    }
  | {
      readonly kind: "accepted";
      readonly ballot: Ballot;
      /** Every slot up to here is decided, or accepted under `ballot`, and durable at the sender. */
      readonly through: Slot;
      readonly decided: Slot;
    }
  // linearizable reads and leases
  | { readonly kind: "confirm"; readonly ballot: Ballot; readonly sequence: number }
  | { readonly kind: "confirmed"; readonly ballot: Ballot; readonly sequence: number }
  | { readonly kind: "readRequest"; readonly sequence: number }
  /** `index` is to be applied before the read is served; 0 when the receiver of the request could not confirm its leadership. */
  | { readonly kind: "readResponse"; readonly sequence: number; readonly index: Slot }
  // catching up, from any member
  | { readonly kind: "fetch"; readonly from: Slot; readonly through: Slot }
  | {
      readonly kind: "learn";
      readonly first: Slot;
      /** Decided entries. */
      readonly entries: readonly Entry[];
      /** The sender's decided index. */
      readonly decided: Slot;
      /** The chain checksum at the last of `entries`; 0 when the sender does not know it at the moment. */
      readonly chain: number;
    }
  /** Answers a fetch below the trimmed index, or a fetch of a chunk of a checkpoint that is gone. */
  | { readonly kind: "checkpointOffer"; readonly checkpoint: Checkpoint; readonly decided: Slot }
  | { readonly kind: "fetchChunk"; readonly slot: Slot; readonly offset: number }
  | {
      readonly kind: "chunk";
      readonly checkpoint: Checkpoint;
      readonly offset: number;
      readonly bytes: Uint8Array;
      /** Of `bytes`. */
      readonly checksum: number;
    }
  // proposals
  | { readonly kind: "forward"; readonly proposals: readonly Proposal[] }
  | { readonly kind: "forwardRefused"; readonly proposals: readonly ProposalId[]; readonly code: RefusalCode }
  // leadership transfer: the receiver is to campaign at once, provided that it is durable through `through`
  | { readonly kind: "takeOver"; readonly ballot: Ballot; readonly through: Slot }
  /** Tells the receiver that a decided configuration has retired it. */
  | { readonly kind: "retired" };

export type MessageKind = Message["kind"];
export type MessageOf<K extends MessageKind> = Extract<Message, { readonly kind: K }>;
