/**
 * An image of the state machine that stands for a prefix of the log. The bytes of an image are the replica's preface (the
 * session table, see `sessions.ts`) followed by the application's own bytes.
 */
import type { Configuration } from "./configuration.ts";
import type { Slot } from "./slot.ts";

export interface Checkpoint {
  /** The image holds the effect of every slot up to this one. */
  readonly slot: Slot;
  /** The chain checksum of the log at `slot`. */
  readonly chain: number;
  /** The configuration that governs the slots after `slot`. */
  readonly configuration: Configuration;
  /** Of the image in bytes, preface included. */
  readonly size: number;
  /** CRC-32C of the image. */
  readonly checksum: number;
  /** How many bytes at the start of the image are the replica's. */
  readonly prefaceSize: number;
}
