/**
 * CRC-32C (Castagnoli), eight bytes at a time (slicing by eight, Kounavis & Berry 2005), and the checksums built from it. Own
 * code because the package has no dependency and no platform API; checked against the published test vectors.
 */
import type { Entry } from "./entry.ts";
import type { Slot } from "./slot.ts";

const POLYNOMIAL = 0x82f63b78;
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const previous = tables[i - 256]!;
    tables[i] = (previous >>> 8) ^ tables[previous & 0xff]!;
  }
  return tables;
}

/** CRC-32C of `bytes`; with `previous`, of what `previous` was made of followed by `bytes`. From 0 to 2^32 - 1. */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  const t = TABLES;
  const aligned = bytes.length & ~7;
  let crc = ~previous;
  let i = 0;
  while (i < aligned) {
    const low = crc ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    crc =
      t[1792 + (low & 0xff)]! ^
      t[1536 + ((low >>> 8) & 0xff)]! ^
      t[1280 + ((low >>> 16) & 0xff)]! ^
      t[1024 + (low >>> 24)]! ^
      t[768 + bytes[i + 4]!]! ^
      t[512 + bytes[i + 5]!]! ^
      t[256 + bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!;
    i += 8;
  }
  while (i < bytes.length) crc = (crc >>> 8) ^ t[(crc ^ bytes[i++]!) & 0xff]!;
  return ~crc >>> 0;
}

/** Mixes one integer of up to 53 bits into a 32-bit state. For a fixed integer a bijection of the state, so nothing is lost. */
function mixInteger(value: number, state: number): number {
  let mixed = Math.imul(state ^ value, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ (value / 0x100000000), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}

const KIND_CODE: Record<Entry["kind"], number> = { noop: 1, command: 2, membership: 3 };

/** Without the field `checksum` itself. */
export type UnsealedEntry =
  | {
      readonly kind: "command";
      readonly client: number;
      readonly sequence: number;
      readonly command: Uint8Array;
    }
  | { readonly kind: "noop" }
  | {
      readonly kind: "membership";
      readonly configuration: Extract<Entry, { kind: "membership" }>["configuration"];
    };

/** The checksum that `entry` must carry in slot `at`: CRC-32C of the command, begun from a mix of everything else. */
export function entryChecksum(entry: UnsealedEntry, at: Slot): number {
  const start = mixInteger(at, KIND_CODE[entry.kind]);
  switch (entry.kind) {
    case "noop":
      return start >>> 0;
    case "command":
      return crc32c(entry.command, mixInteger(entry.sequence, mixInteger(entry.client, start)));
    case "membership":
      return (
        configurationNumbers(entry.configuration).reduce((sum, number) => mixInteger(number, sum), start) >>>
        0
      );
  }
}

export function isIntact(entry: Entry, at: Slot): boolean {
  return entryChecksum(entry, at) === entry.checksum;
}

/** A configuration as numbers, each list preceded by its length: no two configurations give the same. */
function configurationNumbers(
  configuration: Extract<Entry, { kind: "membership" }>["configuration"],
): number[] {
  const { voters, learners, retired, quorums } = configuration;
  return [
    ...(quorums === "majority" ? [0, 0] : [quorums.prepare, quorums.accept]),
    voters.length,
    ...voters,
    learners.length,
    ...learners.flatMap((learner) => [learner.replica, learner.promote ? 1 : 0]),
    retired.length,
    ...retired,
  ];
}

/** The chain checksum at `at`, given the one at the slot before. Never 0, which stands for "not known". 53 bits, two lanes. */
export function chainAfter(previous: number, at: Slot, checksum: number): number {
  const low = Math.imul((previous | 0) ^ checksum, 0x9e3779b1) ^ at;
  const high = Math.imul((previous / 0x100000000) ^ (checksum >>> 11) ^ low, 0x85ebca6b);
  const mixed = Math.imul(low ^ (low >>> 15), 0xc2b2ae35) ^ (high >>> 13);
  return (high >>> 11) * 0x100000000 + (mixed >>> 0) || 1;
}
