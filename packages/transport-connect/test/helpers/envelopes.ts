/** Any envelope that a replica may send, each kind as likely as the others. */
import {
  type AcceptedEntry,
  type Ballot,
  type Checkpoint,
  type Configuration,
  type Entry,
  type Envelope,
  entryChecksum,
  type Message,
  type MessageKind,
  type MessageOf,
  type Proposal,
  type RefusalCode,
  type ReplicaId,
  type Slot,
  type Standing,
} from "@khonsu/paxos";
import fc from "fast-check";

const integer = fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constant(Number.MAX_SAFE_INTEGER));
const uint32 = fc.oneof(fc.nat(300), fc.nat(0xffff_ffff));
const slot = integer as fc.Arbitrary<number> as fc.Arbitrary<Slot>;
const replica = integer as fc.Arbitrary<number> as fc.Arbitrary<ReplicaId>;
const blob = fc.uint8Array({ maxLength: 300 });

const ballot: fc.Arbitrary<Ballot> = fc.record({ round: integer, priority: integer, replica });

const configuration: fc.Arbitrary<Configuration> = fc.record({
  voters: fc.array(replica, { maxLength: 30 }),
  learners: fc.array(fc.record({ replica, promote: fc.boolean() }), { maxLength: 3 }),
  retired: fc.array(replica, { maxLength: 3 }),
  quorums: fc.oneof(fc.constant("majority" as const), fc.record({ prepare: fc.nat(9), accept: fc.nat(9) })),
});

const proposal: fc.Arbitrary<Proposal> = fc.record({ client: integer, sequence: integer, command: blob });

/** An entry sealed for `at`. */
function entryAt(at: Slot): fc.Arbitrary<Entry> {
  const unsealed = fc.oneof(
    proposal.map((fields) => ({ kind: "command" as const, ...fields })),
    fc.constant({ kind: "noop" as const }),
    configuration.map((membership) => ({ kind: "membership" as const, configuration: membership })),
  );
  return unsealed.map((entry) => ({ ...entry, checksum: entryChecksum(entry, at) }));
}

/** Entries for `first`, `first` + 1, and so on. */
const run = fc.nat(2 ** 40).chain((first) =>
  fc.nat(6).chain((length) => {
    const entries = Array.from({ length }, (_, i) => entryAt((first + i) as Slot));
    return fc.record({ first: fc.constant(first as Slot), entries: fc.tuple(...entries) });
  }),
);

const acceptedEntry: fc.Arbitrary<AcceptedEntry> = slot.chain((at) =>
  fc.record({ slot: fc.constant(at), ballot, entry: entryAt(at) }),
);

const standing: fc.Arbitrary<Standing> = fc.record({
  leading: ballot,
  promised: ballot,
  healthy: fc.boolean(),
  electable: fc.boolean(),
  stalled: fc.boolean(),
  priority: integer,
  decided: slot,
  chain: integer,
});

const checkpoint: fc.Arbitrary<Checkpoint> = fc.record({
  slot,
  chain: integer,
  configuration,
  size: integer,
  checksum: uint32,
  prefaceSize: integer,
});

const REFUSALS: Record<RefusalCode, true> = {
  KHONSU_NOT_LEADER: true,
  KHONSU_OVERLOADED: true,
  KHONSU_OUTCOME_UNKNOWN: true,
  KHONSU_SESSION_EXPIRED: true,
  KHONSU_COMMAND_TOO_LARGE: true,
  KHONSU_TRANSFER_TARGET_INVALID: true,
  KHONSU_TRANSFER_TARGET_BEHIND: true,
  KHONSU_MEMBERSHIP_BUSY: true,
  KHONSU_MEMBERSHIP_INVALID: true,
  KHONSU_LEARNER_BEHIND: true,
  KHONSU_REPLICA_STOPPED: true,
};
const refusal = fc.constantFrom(...(Object.keys(REFUSALS) as RefusalCode[]));

type Without<T> = Omit<T, "kind">;
const heartbeat = { round: integer, standing };
const confirmation = { ballot, sequence: integer };

/** One for each kind: a kind that is missing does not compile. */
const MESSAGES: { readonly [K in MessageKind]: fc.Arbitrary<Without<MessageOf<K>>> } = {
  ping: fc.record(heartbeat),
  pong: fc.record(heartbeat),
  prepare: fc.record({ ballot, from: slot, transfer: fc.boolean() }),
  promise: fc.record({
    ballot,
    decided: slot,
    from: slot,
    through: slot,
    entries: fc.array(acceptedEntry, { maxLength: 4 }),
    doubtful: fc.array(slot, { maxLength: 40 }),
    doubtBound: ballot,
  }),
  nack: fc.record({ ballot, promised: ballot }),
  accept: fc
    .tuple(run, fc.record({ ballot, decided: slot }))
    .map(([entries, rest]) => ({ ...entries, ...rest })),
  accepted: fc.record({ ballot, through: slot, decided: slot }),
  confirm: fc.record(confirmation),
  confirmed: fc.record(confirmation),
  readRequest: fc.record({ sequence: integer }),
  readResponse: fc.record({ sequence: integer, index: slot }),
  fetch: fc.record({ from: slot, through: slot }),
  learn: fc
    .tuple(run, fc.record({ decided: slot, chain: integer }))
    .map(([entries, rest]) => ({ ...entries, ...rest })),
  checkpointOffer: fc.record({ checkpoint, decided: slot }),
  fetchChunk: fc.record({ slot, offset: integer }),
  chunk: fc.record({ checkpoint, offset: integer, bytes: blob, checksum: uint32 }),
  forward: fc.record({ proposals: fc.array(proposal, { maxLength: 5 }) }),
  forwardRefused: fc.record({
    proposals: fc.array(fc.record({ client: integer, sequence: integer }), { maxLength: 5 }),
    code: refusal,
  }),
  takeOver: fc.record({ ballot, through: slot }),
  retired: fc.record({}),
};

export const KINDS = Object.keys(MESSAGES) as MessageKind[];

export function messageOf(kind: MessageKind): fc.Arbitrary<Message> {
  return (MESSAGES[kind] as fc.Arbitrary<object>).map((fields) => ({ kind, ...fields }) as Message);
}

export function envelopeOf(kind: MessageKind): fc.Arbitrary<Envelope> {
  return fc.record({ from: replica, to: replica, message: messageOf(kind) });
}

export const envelope: fc.Arbitrary<Envelope> = fc.oneof(...KINDS.map(envelopeOf));
