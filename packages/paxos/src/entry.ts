/**
 * What a slot holds. The checksum of an entry covers its slot as well, so that an entry read from the wrong place is found
 * (a misdirected read); it does not cover the ballot, which changes each time a new leader proposes the entry again.
 */
import { entryChecksum } from "./checksum.ts";
import type { Configuration } from "./configuration.ts";
import type { Slot } from "./slot.ts";

/**
 * Who wants a command decided, and the how-manieth of that client's it is. A client numbers its commands from 1 without gaps, and
 * sends number n only once all up to n - `options.sessionWindow` are answered. The same pair is applied once, however often and
 * through whichever replicas it is proposed (PX-15).
 */
export interface ProposalId {
  /** A safe integer of the caller's choice, different for each client: 53 random bits serve. */
  readonly client: number;
  /** From 1, one more with each new command of this client. */
  readonly sequence: number;
}

export interface Proposal extends ProposalId {
  /** Opaque. The replica keeps the array: the caller must not write to it afterwards. */
  readonly command: Uint8Array;
}

export interface CommandEntry extends Proposal {
  readonly kind: "command";
  readonly checksum: number;
}

/** Fills a gap, or opens a leadership. */
export interface NoOpEntry {
  readonly kind: "noop";
  readonly checksum: number;
}

/** The configuration that governs every later slot. */
export interface MembershipEntry {
  readonly kind: "membership";
  readonly configuration: Configuration;
  readonly checksum: number;
}

export type Entry = CommandEntry | NoOpEntry | MembershipEntry;

/** A command that an earlier slot has decided already: not to be applied. */
export interface DuplicateEntry extends ProposalId {
  readonly kind: "duplicate";
  /** Where it was applied; 0 when it is so old that the slot is forgotten (see `sessionWindow`). */
  readonly appliedAt: Slot;
}

/** What reaches the state machine. Only `command` is to be applied. */
export type DecidedEntry = Entry | DuplicateEntry;

/** Fills slot `at`. */
export function noOp(at: Slot): NoOpEntry {
  return { kind: "noop", checksum: entryChecksum({ kind: "noop" }, at) };
}

export function sealCommand({ client, sequence, command }: Proposal, at: Slot): CommandEntry {
  const checksum = entryChecksum({ kind: "command", client, sequence, command }, at);
  return { kind: "command", client, sequence, command, checksum };
}

export function sealMembership(configuration: Configuration, at: Slot): MembershipEntry {
  return {
    kind: "membership",
    configuration,
    checksum: entryChecksum({ kind: "membership", configuration }, at),
  };
}

/** The bytes of an entry that count for limits: those of its command. */
export function sizeOf(entry: Entry | undefined): number {
  return entry?.kind === "command" ? entry.command.length : 0;
}
