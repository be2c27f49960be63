/** Ballots: in nearly every message, so by hand. One that is all zero is a message without fields. */
import type { Ballot, ReplicaId } from "@khonsu/paxos";
import { type Codec, type Field, nested } from "../wire/codec.ts";
import { malformed } from "../wire/malformed.ts";

/** A ballot as a message. */
export const ballotCodec: Codec<Ballot> = {
  write: (writer, { round, priority, replica }) => {
    writer.uint(1, round);
    writer.uint(2, priority);
    writer.fixed64(3, replica);
  },
  read: (reader) => {
    let round = 0;
    let priority = 0;
    let replica = 0;
    for (let number = reader.field(); number !== 0; number = reader.field()) {
      if (number === 1) round = reader.uint();
      else if (number === 2) priority = reader.uint();
      else if (number === 3) replica = reader.fixed64();
      else throw malformed(`a ballot has field ${number}, which this version does not know`);
    }
    return { round, priority, replica: replica as ReplicaId };
  },
};

export function ballot(number: number): Field<Ballot> {
  return nested(number, ballotCodec);
}
