/**
 * What replicas say to each other, as bytes: `proto/khonsu/paxos/v1`. Strict when reading (WIRE-11). That a message makes sense (a slot
 * in its range, an entry intact) is the replica's to judge; here it is only well-formed.
 */

import { WireWriter } from "@khonsu/cluster/wire";
import type {
  Checkpoint,
  Envelope,
  Message,
  MessageKind,
  MessageOf,
  ProposalId,
  RefusalCode,
  Standing,
} from "@khonsu/paxos";
import {
  bool,
  bytes,
  type Codec,
  type Field,
  type Fields,
  fixed32,
  fixed64,
  list,
  nested,
  record,
  uint,
  uints,
} from "../wire/codec.ts";
import { malformed, readerOf } from "../wire/malformed.ts";
import { ballot } from "./ballot-codec.ts";
import { acceptedEntry, configuration, entries, proposals } from "./entry-codec.ts";
import { accept, accepted } from "./phase-2-codec.ts";

const standing: Codec<Standing> = record("a standing", {
  leading: ballot(1),
  promised: ballot(2),
  healthy: bool(3),
  electable: bool(4),
  stalled: bool(5),
  priority: uint(6),
  decided: uint(7),
  chain: fixed64(8),
});

const checkpoint: Codec<Checkpoint> = record("a checkpoint", {
  slot: uint(1),
  chain: fixed64(2),
  configuration: nested(3, configuration),
  size: uint(4),
  checksum: fixed32(5),
  prefaceSize: uint(6),
});

const proposalId: Codec<ProposalId> = record("a proposal id", { client: fixed64(1), sequence: uint(2) });

/** By number, from 1. */
const REFUSAL_CODES: readonly RefusalCode[] = [
  "KHONSU_NOT_LEADER",
  "KHONSU_OVERLOADED",
  "KHONSU_OUTCOME_UNKNOWN",
  "KHONSU_SESSION_EXPIRED",
  "KHONSU_COMMAND_TOO_LARGE",
  "KHONSU_TRANSFER_TARGET_INVALID",
  "KHONSU_TRANSFER_TARGET_BEHIND",
  "KHONSU_MEMBERSHIP_BUSY",
  "KHONSU_MEMBERSHIP_INVALID",
  "KHONSU_LEARNER_BEHIND",
  "KHONSU_REPLICA_STOPPED",
];

const refusalCode: Field<RefusalCode> = {
  number: 2,
  absent: undefined,
  write: (writer, code) => {
    const index = REFUSAL_CODES.indexOf(code);
    if (index < 0) throw new Error(`Invariant: ${code} has a number in the protocol`);
    writer.uint(2, index + 1);
  },
  read: (reader) => {
    const number = reader.uint();
    const code = REFUSAL_CODES[number - 1];
    if (code === undefined) throw malformed(`refusal code ${number} is not known to this version`);
    return code;
  },
};

/** A message of one kind: the field of the envelope that it is, and how it is read and written. */
interface MessageField<K extends MessageKind> {
  readonly number: number;
  readonly codec: Codec<MessageOf<K>>;
}

function message<K extends MessageKind>(
  kind: K,
  number: number,
  fields: Omit<Fields<MessageOf<K>>, "kind">,
): MessageField<K> {
  // Not on the wire: the number of the envelope's field tells it.
  const constant: Field<K> = { number: 0, absent: () => kind, write: () => {}, read: () => kind };
  const all = { kind: constant, ...fields } as unknown as Fields<MessageOf<K>>;
  return { number, codec: record(kind, all) };
}

const heartbeat = { round: uint(1), standing: nested(2, standing) };
const confirmation = { ballot: ballot(1), sequence: uint(2) };

const MESSAGES: { readonly [K in MessageKind]: MessageField<K> } = {
  ping: message("ping", 3, heartbeat),
  pong: message("pong", 4, heartbeat),
  prepare: message("prepare", 5, { ballot: ballot(1), from: uint(2), transfer: bool(3) }),
  promise: message("promise", 6, {
    ballot: ballot(1),
    decided: uint(2),
    from: uint(3),
    through: uint(4),
    entries: list(5, acceptedEntry),
    doubtful: uints(6),
    doubtBound: ballot(7),
  }),
  nack: message("nack", 7, { ballot: ballot(1), promised: ballot(2) }),
  accept: { number: 8, codec: accept },
  accepted: { number: 9, codec: accepted },
  confirm: message("confirm", 10, confirmation),
  confirmed: message("confirmed", 11, confirmation),
  readRequest: message("readRequest", 12, { sequence: uint(1) }),
  readResponse: message("readResponse", 13, { sequence: uint(1), index: uint(2) }),
  fetch: message("fetch", 14, { from: uint(1), through: uint(2) }),
  learn: message("learn", 15, { first: uint(1), entries: entries(2), decided: uint(3), chain: fixed64(4) }),
  checkpointOffer: message("checkpointOffer", 16, { checkpoint: nested(1, checkpoint), decided: uint(2) }),
  fetchChunk: message("fetchChunk", 17, { slot: uint(1), offset: uint(2) }),
  chunk: message("chunk", 18, {
    checkpoint: nested(1, checkpoint),
    offset: uint(2),
    bytes: bytes(3),
    checksum: fixed32(4),
  }),
  forward: message("forward", 19, { proposals: proposals(1) }),
  forwardRefused: message("forwardRefused", 20, { proposals: list(1, proposalId), code: refusalCode }),
  takeOver: message("takeOver", 21, { ballot: ballot(1), through: uint(2) }),
  retired: message("retired", 22, {}),
};

const BY_NUMBER: readonly (MessageField<MessageKind> | undefined)[] = (() => {
  const fields: (MessageField<MessageKind> | undefined)[] = [];
  for (const field of Object.values(MESSAGES)) fields[field.number] = field as MessageField<MessageKind>;
  return fields;
})();

/** The bytes of an envelope. Copies commands; the result is not touched again. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const writer = new WireWriter(sizeBound(envelope.message) + 32);
  writeEnvelope(writer, envelope);
  return writer.finish();
}

export function writeEnvelope(writer: WireWriter, { from, message, to }: Envelope): void {
  const field = MESSAGES[message.kind] as MessageField<MessageKind>;
  const lengthMax = sizeBound(message);
  writer.fixed64(1, from);
  writer.fixed64(2, to);
  const start = writer.begin(field.number, lengthMax);
  field.codec.write(writer, message);
  writer.end(start, lengthMax);
}

/** About how long a message is; being wrong costs a copy. */
function sizeBound(message: Message): number {
  let size = 112;
  if (message.kind === "accept" || message.kind === "learn") {
    for (const entry of message.entries) size += 56 + (entry.kind === "command" ? entry.command.length : 0);
  } else if (message.kind === "chunk") size += message.bytes.length;
  return size;
}

/**
 * Chunks of an image are views of `data`, which must not be written to afterwards; commands are copies.
 *
 * @throws TransportError `KHONSU_FRAME_MALFORMED` for anything that `encodeEnvelope` of this version does not write
 */
export function decodeEnvelope(data: Uint8Array): Envelope {
  const reader = readerOf(data);
  let from = 0;
  let to = 0;
  let message: Message | undefined;
  for (let number = reader.field(); number !== 0; number = reader.field()) {
    if (number === 1) from = reader.fixed64();
    else if (number === 2) to = reader.fixed64();
    else {
      const field = BY_NUMBER[number];
      if (field === undefined) throw malformed(`message ${number} is not known to this version`);
      if (message !== undefined) throw malformed("an envelope holds two messages");
      message = reader.nested(field.codec.read);
    }
  }
  if (message === undefined) throw malformed("an envelope is empty");
  return { from: from as Envelope["from"], to: to as Envelope["to"], message };
}
