// What a replica's disk really supports, kept from outside by watching records become durable. It is the ground truth that answers
// are held against: the code under test never sees it.

import type { Ballot, DurableRecord, Entry } from "@khonsu/paxos";

/** What is durable in one slot. */
export interface DurableEntry {
  readonly ballot: Ballot;
  readonly identity: string;
  /** Learned as decided rather than accepted. */
  readonly learned: boolean;
}

export interface AcceptorView {
  promised: Ballot | undefined;
  readonly slots: Map<number, DurableEntry>;
  decided: number;
  checkpoint: number;
  trimmed: number;
}

export function newAcceptorView(): AcceptorView {
  return { promised: undefined, slots: new Map(), decided: 0, checkpoint: 0, trimmed: 0 };
}

/** -1, 0 or 1 as `one` is below, equal to or above `other`; written here again so that the check does not trust what it checks. */
export function compare(one: Ballot, other: Ballot): number {
  return (
    Math.sign(one.round - other.round) ||
    Math.sign(one.priority - other.priority) ||
    Math.sign(one.replica - other.replica)
  );
}

/** A name for what an entry does; equal for equal entries. */
export function identityOf(entry: Entry): string {
  if (entry.kind === "noop") return "no-op";
  if (entry.kind === "membership") return `membership ${JSON.stringify(entry.configuration)}`;
  return `command ${entry.client}.${entry.sequence} ${digest(entry.command)}`;
}

export function digest(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16);
}

/** Applies a record that has become durable. Accepted entries come one a record. */
export function noteDurable(view: AcceptorView, header: DurableRecord, entry: Entry | undefined): void {
  switch (header.kind) {
    case "promised":
      view.promised = header.ballot;
      break;
    case "accepted":
    case "learned":
      if (entry !== undefined && header.first > view.trimmed) {
        const learned = header.kind === "learned";
        const ballot = learned ? { round: 0, priority: 0, replica: 0 as Ballot["replica"] } : header.ballot;
        view.slots.set(header.first, { ballot, identity: identityOf(entry), learned });
      }
      break;
    case "decided":
      view.decided = Math.max(view.decided, header.slot);
      break;
    case "checkpoint":
      view.checkpoint = Math.max(view.checkpoint, header.checkpoint.slot);
      view.decided = Math.max(view.decided, header.checkpoint.slot);
      trim(view, header.trimmed);
      break;
    case "trimmed":
      trim(view, header.slot);
      break;
    default:
      break;
  }
}

function trim(view: AcceptorView, through: number): void {
  view.trimmed = Math.max(view.trimmed, through);
  for (const slot of view.slots.keys()) if (slot <= view.trimmed) view.slots.delete(slot);
}
