import type { DurableRecord, Entry } from "@khonsu/paxos";
import { randomStream } from "@khonsu/paxos/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { enveloped, open } from "./envelope.ts";
import { packRecords, unpackRecords } from "./record-codec.ts";

const integer = fc.maxSafeNat();
const uint32 = fc.nat(2 ** 32 - 1);
const replica = integer;
const ballot = fc.record({ round: integer, priority: integer, replica });
const configuration = fc.record({
  voters: fc.array(replica, { maxLength: 3 }),
  learners: fc.array(fc.record({ replica, promote: fc.boolean() }), { maxLength: 2 }),
  retired: fc.array(replica, { maxLength: 2 }),
  quorums: fc.oneof(fc.constant("majority"), fc.record({ prepare: uint32, accept: uint32 })),
});
const entry = fc.oneof(
  fc.record({
    kind: fc.constant("command"),
    client: integer,
    sequence: integer,
    command: fc.uint8Array({ maxLength: 40 }),
    checksum: uint32,
  }),
  fc.record({ kind: fc.constant("noop"), checksum: uint32 }),
  fc.record({ kind: fc.constant("membership"), configuration, checksum: uint32 }),
) as fc.Arbitrary<Entry>;
const entries = fc.array(entry, { minLength: 1, maxLength: 5 });
const record = fc.oneof(
  fc.record({ kind: fc.constant("accepted"), ballot, first: integer, entries }),
  fc.record({ kind: fc.constant("learned"), first: integer, entries }),
  fc.record({ kind: fc.constant("decided"), slot: integer, chain: integer }),
  fc.record({ kind: fc.constant("promised"), ballot }),
  fc.record({ kind: fc.constant("identity"), replica, genesis: configuration, run: integer }),
  fc.record({ kind: fc.constant("trimmed"), slot: integer }),
) as fc.Arbitrary<DurableRecord>;

const KEY = Uint8Array.of(6, 1, 2);

function throughBytes(records: readonly DurableRecord[]): DurableRecord[] {
  const opened = open(KEY, enveloped(KEY, packRecords(records)).value);
  return unpackRecords(opened!.header, opened!.content);
}

test("records are read as they were written, many in one header", () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 6 }), (records) => {
      expect(throughBytes(records)).toEqual(plain(records));
    }),
  );
});

test("streams of a replica are read as they were written, but for the bytes of images", () => {
  fc.assert(
    fc.property(fc.nat(1000), (seed) => {
      for (const { records } of randomStream(seed, 20)) {
        const withoutBytes = records.map((each) =>
          each.kind === "chunk" ? { ...each, bytes: new Uint8Array(each.bytes.length) } : each,
        );
        expect(throughBytes(records)).toEqual(plain(withoutBytes));
      }
    }),
    { numRuns: 20 },
  );
});

test("AL-2: a header that is changed anywhere is not read; content that is changed is", () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 3 }), fc.nat(), (records, at) => {
      const packed = packRecords(records);
      const { value } = enveloped(KEY, packed);
      const changed = Buffer.from(value);
      changed[at % changed.length]! ^= 1;
      const isContent = at % changed.length >= value.length - packed.contentBytes;
      expect(open(KEY, changed) !== undefined).toBe(isContent);
    }),
  );
});

/** Buffers and objects without a prototype as what is read back. */
function plain(records: readonly DurableRecord[]): unknown {
  const copy = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return Uint8Array.from(value);
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copy(each)]));
  };
  return copy(records);
}
