/**
 * Entries of the log, on the hot path of replication: written and read by hand rather than by `record`. Their checksums
 * travel along as they are, so that whoever stores an entry sees damage on the way as well. Commands are copied out of what came:
 * an entry, and what is stored of it, outlives by far the hundreds of messages of other groups that came in the same batch.
 */

import type { WireReader, WireWriter } from "@khonsu/cluster/wire";
import type { AcceptedEntry, Configuration, Entry, Learner, Proposal, QuorumSizes } from "@khonsu/paxos";
import {
  bool,
  type Codec,
  type Field,
  fixed64,
  fixed64s,
  list,
  nested,
  record,
  uint,
  writeNested,
} from "../wire/codec.ts";
import { malformed } from "../wire/malformed.ts";
import { ballot } from "./ballot-codec.ts";

const COMMAND = 1;
const NO_OP = 2;
const MEMBERSHIP = 3;
/** What an entry takes beside its command. */
const ENTRY_OVERHEAD = 48;

const learner = record<Learner>("a learner", { replica: fixed64(1), promote: bool(2) });
const sizes = record<QuorumSizes>("quorum sizes", { prepare: uint(1), accept: uint(2) });

/** `majority` is no message at all. */
const quorums: Field<Configuration["quorums"]> = {
  number: 4,
  absent: () => "majority",
  write: (writer, value) => {
    if (value !== "majority") writeNested(writer, 4, sizes, value);
  },
  read: (reader) => reader.nested(sizes.read),
};

export const configuration: Codec<Configuration> = record("a configuration", {
  voters: fixed64s(1),
  learners: list(2, learner),
  retired: fixed64s(3),
  quorums,
});

function writeEntry(writer: WireWriter, entry: Entry): void {
  switch (entry.kind) {
    case "command":
      writer.uint(1, COMMAND);
      writer.fixed32(2, entry.checksum);
      writer.fixed64(3, entry.client);
      writer.uint(4, entry.sequence);
      writer.bytes(5, entry.command);
      break;
    case "noop":
      writer.uint(1, NO_OP);
      writer.fixed32(2, entry.checksum);
      break;
    case "membership":
      writer.uint(1, MEMBERSHIP);
      writer.fixed32(2, entry.checksum);
      writeNested(writer, 6, configuration, entry.configuration);
      break;
  }
}

const EMPTY: Uint8Array = new Uint8Array();

function readEntry(reader: WireReader): Entry {
  let kind = 0;
  let checksum = 0;
  let client = 0;
  let sequence = 0;
  let command = EMPTY;
  let membership: Configuration | undefined;
  for (let number = reader.field(); number !== 0; number = reader.field()) {
    if (number === 1) kind = reader.uint();
    else if (number === 2) checksum = reader.fixed32();
    else if (number === 3) client = reader.fixed64();
    else if (number === 4) sequence = reader.uint();
    else if (number === 5) command = reader.ownBytes();
    else if (number === 6) membership = reader.nested(configuration.read);
    else throw malformed(`an entry has field ${number}, which this version does not know`);
  }
  if (kind === COMMAND) return { kind: "command", client, sequence, command, checksum };
  if (kind === NO_OP) return { kind: "noop", checksum };
  if (kind !== MEMBERSHIP) throw malformed(`an entry has kind ${kind}, which this version does not know`);
  if (membership === undefined) throw malformed("a membership entry has no configuration");
  return { kind: "membership", configuration: membership, checksum };
}

export const entry: Codec<Entry> = { write: writeEntry, read: readEntry };

/** A list of entries, or of proposals: most of the bytes of a message. The room for their lengths is right at once. */
function bulky<T extends { readonly command: Uint8Array } | Entry>(
  number: number,
  codec: Codec<T>,
): Field<readonly T[]> {
  return {
    ...list(number, codec),
    write: (writer, values) => {
      for (const value of values) {
        const lengthMax = "command" in value ? value.command.length + ENTRY_OVERHEAD : ENTRY_OVERHEAD;
        const start = writer.begin(number, lengthMax);
        codec.write(writer, value);
        writer.end(start, lengthMax);
      }
    },
  };
}

/** Writes the entries of field `number`, one behind the other. */
export function writeEntries(writer: WireWriter, number: number, values: readonly Entry[]): void {
  for (const value of values) {
    const lengthMax = value.kind === "command" ? value.command.length + ENTRY_OVERHEAD : ENTRY_OVERHEAD;
    const start = writer.begin(number, lengthMax);
    writeEntry(writer, value);
    writer.end(start, lengthMax);
  }
}

export function entries(number: number): Field<readonly Entry[]> {
  return bulky(number, entry);
}

const proposal: Codec<Proposal> = {
  write: (writer, { client, sequence, command }) => {
    writer.fixed64(1, client);
    writer.uint(2, sequence);
    writer.bytes(3, command);
  },
  read: (reader) => {
    let client = 0;
    let sequence = 0;
    let command = EMPTY;
    for (let number = reader.field(); number !== 0; number = reader.field()) {
      if (number === 1) client = reader.fixed64();
      else if (number === 2) sequence = reader.uint();
      else if (number === 3) command = reader.ownBytes();
      else throw malformed(`a proposal has field ${number}, which this version does not know`);
    }
    return { client, sequence, command };
  },
};

export function proposals(number: number): Field<readonly Proposal[]> {
  return bulky(number, proposal);
}

export const acceptedEntry: Codec<AcceptedEntry> = record("an accepted entry", {
  slot: uint(1),
  ballot: ballot(2),
  entry: nested(3, entry),
});
