/**
 * What a replica writes: one ordered stream of records, never updated in place as far as this package is concerned. After a
 * crash the stream is some prefix of what was written, and at least everything reported by `persisted`; what such a prefix
 * means is said by one function, `recover`. An implementation may materialise records by key (one key a slot, one for the
 * promise) as long as it reads back what `recover` would have made of the stream.
 */
import type { Ballot } from "./ballot.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Configuration } from "./configuration.ts";
import type { Entry } from "./entry.ts";
import type { ReplicaId } from "./replica-id.ts";
import type { Slot } from "./slot.ts";

export type DurableRecord =
  /**
   * The first record of each run of the replica, and written again when it is admitted: whose disk it is, the configuration
   * that a founding member started from (the same in each run), and the how-manieth run this is.
   */
  | {
      readonly kind: "identity";
      readonly replica: ReplicaId;
      readonly genesis: Configuration | undefined;
      readonly run: number;
      /** Whether a replica that joined has been admitted (PX-12). Default: whether it is a founding member. */
      readonly admitted?: boolean;
    }
  /** Nothing below `ballot` is promised or accepted from here on. */
  | { readonly kind: "promised"; readonly ballot: Ballot }
  /** Accepted under `ballot`, for the slots from `first` on; replaces what was accepted there. */
  | {
      readonly kind: "accepted";
      readonly ballot: Ballot;
      readonly first: Slot;
      readonly entries: readonly Entry[];
    }
  /**
   * Decided entries, learned from another replica, for the slots from `first` on; `first` is at most the decided index + 1.
   * Every slot up to the last of them is decided with that: one record, since either half alone would misreport a vote.
   */
  | { readonly kind: "learned"; readonly first: Slot; readonly entries: readonly Entry[] }
  /** Every slot up to `slot` is decided; `chain` is the chain checksum there, 0 if not known yet. */
  | { readonly kind: "decided"; readonly slot: Slot; readonly chain: number }
  /** A piece of an image that is being received. `offset` 0 discards what was received of another image. */
  | {
      readonly kind: "chunk";
      readonly checkpoint: Checkpoint;
      readonly offset: number;
      readonly bytes: Uint8Array;
      /** CRC-32C of the image up to the end of this piece. */
      readonly running: number;
    }
  /**
   * From here on `checkpoint` is the current one: made here, or received in pieces and then complete. The image before it may
   * be deleted. Entries up to `trimmed` may be deleted.
   */
  | { readonly kind: "checkpoint"; readonly checkpoint: Checkpoint; readonly trimmed: Slot }
  /** Entries up to `slot` may be deleted. */
  | { readonly kind: "trimmed"; readonly slot: Slot };

export type DurableRecordKind = DurableRecord["kind"];
