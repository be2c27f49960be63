/**
 * What happens to a replica. The driver feeds one input at a time to `Replica.step` and carries out all effects of one
 * before the next, in the order given. What is asynchronous (writing, reading an image) comes back as a later input.
 */
import type { MembershipChange } from "./configuration.ts";
import type { WriteId } from "./effect.ts";
import type { Proposal } from "./entry.ts";
import type { Message } from "./message.ts";
import type { ReplicaId } from "./replica-id.ts";
import type { Slot } from "./slot.ts";

export type Input =
  /**
   * Time goes by: `ticks` of them, default 1. The driver decides how long a tick is; a round trip to any member should take
   * fewer than `electionTimeoutTicks / 2`. After a pause the driver feeds the ticks missed in one input, before any other.
   */
  | { readonly kind: "tick"; readonly ticks?: number }
  /** A message arrived. Nothing is assumed of the network but that it does not forge. */
  | { readonly kind: "received"; readonly from: ReplicaId; readonly to: ReplicaId; readonly message: Message }
  /** Clients want commands decided. Gather those of one turn into one input: they travel and are written as one batch. */
  | { readonly kind: "proposed"; readonly proposals: readonly Proposal[] }
  /** Everything up to and including `write` is durable. Reports may skip numbers and repeat, they never go back. */
  | { readonly kind: "persisted"; readonly write: WriteId }
  /** A write or a read that must not fail did. The replica fences itself: it does nothing ever after. */
  | { readonly kind: "storageFailed"; readonly message: string }
  /** A client wants a linearizable read. `id` is the driver's, unique among the reads it waits for. */
  | { readonly kind: "readRequested"; readonly id: number }
  /** Hand leadership to `to`. Only the leader can. */
  | { readonly kind: "transferRequested"; readonly to: ReplicaId }
  /** Only the leader can. Answered by `membershipRefused`, or by `configured` once decided. */
  | { readonly kind: "membershipRequested"; readonly change: MembershipChange }
  /** The image asked for by `takeCheckpoint` at `slot` is durable: `size` bytes, preface first, with CRC-32C `checksum`. */
  | {
      readonly kind: "checkpointTaken";
      readonly slot: Slot;
      readonly size: number;
      readonly checksum: number;
    }
  /** Answers `readChunk`; `bytes` is undefined when that image is gone. */
  | {
      readonly kind: "chunkRead";
      readonly to: ReplicaId;
      readonly slot: Slot;
      readonly offset: number;
      readonly bytes: Uint8Array | undefined;
    }
  /** Answers `restore`: the state machine now is the image at `slot`, whose first `prefaceSize` bytes are `preface`. */
  | { readonly kind: "restored"; readonly slot: Slot; readonly preface: Uint8Array };

export type InputKind = Input["kind"];
export type InputOf<K extends InputKind> = Extract<Input, { readonly kind: K }>;
