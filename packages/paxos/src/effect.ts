/**
 * What a replica wants done. Effects of one step are in order: at most one `persist` first, then the rest. The one rule that
 * Paxos needs of a disk is in the type: what may leave only after a write hangs on that write (PX-3).
 */
import type { Ballot } from "./ballot.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Configuration, MembershipChange } from "./configuration.ts";
import type { DurableRecord } from "./durable-record.ts";
import type { DecidedEntry, ProposalId } from "./entry.ts";
import type { PaxosErrorCode, Refusal } from "./errors.ts";
import type { Envelope } from "./message.ts";
import type { ReplicaId } from "./replica-id.ts";
import type { Slot } from "./slot.ts";

declare const writeIdBrand: unique symbol;

/** Numbers the writes of one run of a replica, from 1. */
export type WriteId = number & { readonly [writeIdBrand]: true };

export interface PersistEffect {
  readonly kind: "persist";
  readonly write: WriteId;
  /**
   * Every write up to this one was durable when this one was made. A storage that frames its writes stores it: a damaged
   * frame up to it had been acknowledged, one after it and cut short had not (a torn tail).
   */
  readonly settled: WriteId;
  /**
   * To be appended, in order, after the records of every earlier write. May be empty: then the effect is a barrier, and
   * `release` waits for the writes before it. Several `persist` effects may be written and synced as one batch.
   */
  readonly records: readonly DurableRecord[];
  /** These may leave only once this write and every earlier one is durable. If the write fails they never leave. */
  readonly release: readonly Envelope[];
}

export type Effect =
  | PersistEffect
  /** Depends on no write. Safe to lose, repeat and reorder; chunks of checkpoints may go by another stream. */
  | { readonly kind: "send"; readonly envelope: Envelope }
  /** Apply these, in order: the first is for slot `first`, which follows the slot applied last. Each slot comes once a run. */
  | { readonly kind: "decided"; readonly first: Slot; readonly entries: readonly DecidedEntry[] }
  /** A proposal turned out to be decided and applied before it was proposed here again. */
  | { readonly kind: "alreadyDecided"; readonly proposal: ProposalId; readonly slot: Slot }
  /** This proposal is not pursued any further by this replica. */
  | { readonly kind: "proposalRefused"; readonly proposal: ProposalId; readonly refusal: Refusal }
  /** Serve the read now: everything that was acknowledged before it was requested has been delivered by `decided`. */
  | { readonly kind: "readReady"; readonly id: number; readonly index: Slot }
  | { readonly kind: "readRefused"; readonly id: number; readonly refusal: Refusal }
  /** This replica knows a new leader (itself, maybe), or none (`leader` undefined). For people and for routing. */
  | { readonly kind: "leaderChanged"; readonly leader: ReplicaId | undefined; readonly ballot: Ballot }
  | { readonly kind: "transferRefused"; readonly to: ReplicaId; readonly refusal: Refusal }
  | { readonly kind: "membershipRefused"; readonly change: MembershipChange; readonly refusal: Refusal }
  /** A membership entry was decided at `slot`. */
  | { readonly kind: "configured"; readonly slot: Slot; readonly configuration: Configuration }
  /**
   * Make an image of the state machine as it is now, with every slot up to `slot` applied, put `preface` before it, store
   * it, and report `checkpointTaken`. Until then no other is asked for. A driver may also decline by doing nothing.
   */
  | { readonly kind: "takeCheckpoint"; readonly slot: Slot; readonly preface: Uint8Array }
  /** Read up to `length` bytes at `offset` of the image at `slot`, and report `chunkRead`. */
  | {
      readonly kind: "readChunk";
      readonly to: ReplicaId;
      readonly slot: Slot;
      readonly offset: number;
      readonly length: number;
    }
  /**
   * Replace the state machine by the stored image of `checkpoint`, which is durable and current by now, and report
   * `restored`. No `decided` comes in between; the next one follows `checkpoint.slot`.
   */
  | { readonly kind: "restore"; readonly checkpoint: Checkpoint }
  /** A decided configuration has removed this replica for good. Its node may join again under a higher incarnation, on an empty disk. */
  | { readonly kind: "retired" }
  /** The replica has stopped for good: tell people, loudly. */
  | { readonly kind: "fenced"; readonly code: PaxosErrorCode; readonly message: string };

export type EffectKind = Effect["kind"];
export type EffectOf<K extends EffectKind> = Extract<Effect, { readonly kind: K }>;
