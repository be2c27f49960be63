/** What the leader and its followers say of entries, by hand: nearly all messages of a cluster that is at work are of these two kinds. */
import type { Ballot, Entry, MessageOf, Slot } from "@khonsu/paxos";
import { type Codec, writeNested } from "../wire/codec.ts";
import { malformed } from "../wire/malformed.ts";
import { ballotCodec } from "./ballot-codec.ts";
import { entry, writeEntries } from "./entry-codec.ts";

export const accept: Codec<MessageOf<"accept">> = {
  write: (writer, { ballot, decided, entries, first }) => {
    writeNested(writer, 1, ballotCodec, ballot);
    writer.uint(2, first);
    writeEntries(writer, 3, entries);
    writer.uint(4, decided);
  },
  read: (reader) => {
    let ballot: Ballot | undefined;
    let first = 0;
    let decided = 0;
    const entries: Entry[] = [];
    for (let number = reader.field(); number !== 0; number = reader.field()) {
      if (number === 1) ballot = reader.nested(ballotCodec.read);
      else if (number === 2) first = reader.uint();
      else if (number === 3) entries.push(reader.nested(entry.read));
      else if (number === 4) decided = reader.uint();
      else throw malformed(`accept has field ${number}, which this version does not know`);
    }
    if (ballot === undefined) throw malformed("accept has no ballot");
    return { kind: "accept", ballot, first: first as Slot, entries, decided: decided as Slot };
  },
};

export const accepted: Codec<MessageOf<"accepted">> = {
  write: (writer, { ballot, decided, through }) => {
    writeNested(writer, 1, ballotCodec, ballot);
    writer.uint(2, through);
    writer.uint(3, decided);
  },
  read: (reader) => {
    let ballot: Ballot | undefined;
    let through = 0;
    let decided = 0;
    for (let number = reader.field(); number !== 0; number = reader.field()) {
      if (number === 1) ballot = reader.nested(ballotCodec.read);
      else if (number === 2) through = reader.uint();
      else if (number === 3) decided = reader.uint();
      else throw malformed(`accepted has field ${number}, which this version does not know`);
    }
    if (ballot === undefined) throw malformed("accepted has no ballot");
    return { kind: "accepted", ballot, through: through as Slot, decided: decided as Slot };
  },
};
