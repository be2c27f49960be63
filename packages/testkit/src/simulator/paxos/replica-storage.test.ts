// The simulated storage is held against the package's own `recover`: after any crash it returns what `recover` makes of some prefix of
// the records written, at least of those reported as durable.

import { type Ballot, type DurableRecord, type Entry, recover, replicaId, slot } from "@khonsu/paxos";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Disk } from "../disk.ts";
import { Prng } from "../prng.ts";
import { Scheduler } from "../scheduler.ts";
import { ReplicaStorage } from "./replica-storage.ts";
import { FRAME_CODEC, type StoredFrame } from "./stored-frame.ts";

const self = replicaId(1);
const ballot = (round: number): Ballot => ({ round, priority: 0, replica: self });
const entry = (sequence: number): Entry => ({
  kind: "command",
  client: 1,
  sequence,
  command: Uint8Array.of(sequence % 256),
  checksum: sequence,
});

/** A stream as a replica would write it: promises grow, entries overwrite each other, the decided index follows. */
function drawRecords(prng: Prng): DurableRecord[] {
  const records: DurableRecord[] = [
    { kind: "identity", replica: self, genesis: undefined, run: 1 },
    { kind: "promised", ballot: ballot(1) },
  ];
  let round = 1;
  let last = 0;
  let decided = 0;
  for (let index = 0; index < 40; index += 1) {
    const kind = prng.pick(["promised", "accepted", "accepted", "decided", "learned"] as const);
    if (kind === "promised") {
      round += prng.integer(0, 2);
      records.push({ kind, ballot: ballot(round) });
    } else if (kind === "accepted") {
      const first = Math.max(decided + 1, last + 1 - prng.integer(0, 3));
      const entries = Array.from({ length: prng.integer(1, 3) }, (_, offset) => entry(100 * index + offset));
      last = Math.max(last, first + entries.length - 1);
      records.push({ kind, ballot: ballot(round), first: slot(first), entries });
    } else if (kind === "decided") {
      decided = Math.min(last, decided + prng.integer(0, 2));
      records.push({ kind, slot: slot(decided), chain: decided });
    } else if (decided > 0) {
      records.push({ kind, first: slot(decided), entries: [entry(100 * index)] });
    }
  }
  return records;
}

/** One record for each entry, as they stand on the disk. */
function split(records: readonly DurableRecord[]): DurableRecord[] {
  return records.flatMap((record): DurableRecord[] => {
    if (record.kind !== "accepted" && record.kind !== "learned") return [record];
    return record.entries.map((one, index) => ({
      ...record,
      first: slot(record.first + index),
      entries: [one],
    }));
  });
}

function setup(seed: number) {
  const scheduler = new Scheduler();
  const disk = new Disk<StoredFrame>(scheduler, new Prng(seed), {
    codec: FRAME_CODEC,
    syncMinUs: 50,
    syncMeanUs: 500,
    tearsBatches: true,
  });
  return { scheduler, disk };
}

describe("replica storage", () => {
  test("after a crash it holds a prefix of the stream, no shorter than what was reported durable", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(20_000), (seed, crashUs) => {
        const { scheduler, disk } = setup(seed);
        const records = drawRecords(new Prng(seed).split("records"));
        const storage = new ReplicaStorage(disk);
        storage.open();
        let durable = 0;
        records.forEach((record, index) => {
          scheduler.at(index * 300, () => {
            if (index * 300 > crashUs) return;
            storage.write(index + 1, durable, [record], () => {
              durable = index + 1;
            });
          });
        });
        scheduler.runUntil(crashUs);
        disk.crash();
        const recovered = new ReplicaStorage(disk).open();
        const parts = split(records);
        const least = split(records.slice(0, durable)).length;
        const prefixes = Array.from({ length: parts.length - least + 1 }, (_, more) =>
          recover(parts.slice(0, least + more), () => undefined),
        );
        expect(prefixes).toContainEqual(recovered);
        expect(new ReplicaStorage(disk).open()).toEqual(recovered);
      }),
      { numRuns: 200 },
    );
  });

  test("a damaged entry keeps its slot and ballot, a lost promise ends the life of the disk", () => {
    const { scheduler, disk } = setup(1);
    const storage = new ReplicaStorage(disk);
    storage.open();
    const records: DurableRecord[] = [
      { kind: "promised", ballot: ballot(3) },
      { kind: "accepted", ballot: ballot(3), first: slot(1), entries: [entry(1), entry(2)] },
    ];
    storage.write(1, 0, records, () => {});
    scheduler.runUntil(100_000);
    const [promiseKey, , secondKey] = disk.keys();
    disk.makeUnreadable(secondKey!);
    const recovered = new ReplicaStorage(disk).open();
    expect(recovered.entries).toEqual([
      { slot: 1, ballot: ballot(3), entry: entry(1) },
      { slot: 2, ballot: ballot(3), entry: undefined },
    ]);
    disk.makeUnreadable(promiseKey!);
    expect(() => new ReplicaStorage(disk).open()).toThrowError(
      expect.objectContaining({ code: "KHONSU_STORAGE_CORRUPT" }),
    );
  });

  test("a misdirected read returns another entry under this slot, for the entry's own checksum to notice", () => {
    const { scheduler, disk } = setup(2);
    const storage = new ReplicaStorage(disk);
    storage.open();
    const records: DurableRecord[] = [
      { kind: "promised", ballot: ballot(1) },
      { kind: "accepted", ballot: ballot(1), first: slot(1), entries: [entry(1), entry(2)] },
    ];
    storage.write(1, 0, records, () => {});
    scheduler.runUntil(100_000);
    const [, firstKey, secondKey] = disk.keys();
    disk.misdirect(secondKey!, firstKey!);
    expect(new ReplicaStorage(disk).open().entries).toEqual([
      { slot: 1, ballot: ballot(1), entry: entry(1) },
      { slot: 2, ballot: ballot(1), entry: entry(1) },
    ]);
  });

  test("a read misdirected to a torn record is damage, and not the end of the log: the promise behind it stays", () => {
    const { scheduler, disk } = setup(3);
    const storage = new ReplicaStorage(disk);
    storage.open();
    const write = (number: number, ...records: DurableRecord[]) =>
      storage.write(number, 0, records, () => {});
    write(1, { kind: "promised", ballot: ballot(1) });
    write(2, { kind: "accepted", ballot: ballot(1), first: slot(1), entries: [entry(1)] });
    write(3, { kind: "promised", ballot: ballot(2) });
    write(4, { kind: "accepted", ballot: ballot(2), first: slot(2), entries: [entry(2)] });
    scheduler.runUntil(100_000);
    const [accepted, , last] = disk.keys();
    const torn = FRAME_CODEC.tear(disk.durable.get(last!)!, new Prng(3));
    disk.write([{ kind: "put", key: last!, value: torn }], () => {});
    scheduler.runUntil(200_000);
    disk.misdirect(accepted!, last!);
    const recovered = new ReplicaStorage(disk).open();
    expect(recovered.promised).toEqual(ballot(2));
    expect(recovered.entries).toEqual([{ slot: 1, ballot: ballot(1), entry: undefined }]);
  });
});
