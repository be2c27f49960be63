/**
 * The compliance suite of `AcceptorStorage`. Takes the test function, asserts with `node:assert`, so that any runner fits. A storage
 * that passes recovers, after any crash, what `recover` makes of a prefix of the records written that holds all that was
 * acknowledged.
 */
import assert from "node:assert/strict";
import type { AcceptorStorage, Recovered } from "../acceptor-storage.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { crc32c, isIntact } from "../checksum.ts";
import type { DurableRecord } from "../durable-record.ts";
import type { WriteId } from "../effect.ts";
import { EMPTY_DISK, recover } from "../recovery.ts";
import { replicaId } from "../replica-id.ts";
import type { Slot } from "../slot.ts";
import {
  ballotOf,
  chunksOf,
  commandAt,
  imageAt,
  membershipAt,
  noOpAt,
  randomStream,
  type StreamStep,
  SUITE_CONFIGURATION,
} from "./record-stream.ts";

/** One disk under test. */
export interface AcceptorStorageHarness {
  /** Opens a storage on the disk; the one opened before was closed or crashed. */
  open(): Promise<AcceptorStorage>;
  /** Power fails: what was not acknowledged may be lost, from any record on. */
  crash?(): Promise<void>;
  /** Damages what is stored for an accepted entry. */
  corruptEntry?(slot: Slot): Promise<void>;
  /** Damages the stored image at `slot`. */
  corruptImage?(slot: Slot): Promise<void>;
  /** The `count`-th write from now on fails. */
  failWrites?(count: number): Promise<void>;
  /** Releases everything. */
  destroy(): Promise<void>;
}

export interface AcceptorStorageSuiteOptions {
  readonly test: (name: string, body: () => Promise<void>) => void;
  readonly factory: () => Promise<AcceptorStorageHarness>;
  /** What the harness can do to its disk; the cases that need more are left out. */
  readonly supports: {
    readonly crash: boolean;
    readonly corruptEntry: boolean;
    readonly corruptImage: boolean;
    readonly failWrites: boolean;
  };
}

/** Random streams are made from these seeds; a failure names its seed. */
const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);

export function acceptorStorageSuite({ test, factory, supports }: AcceptorStorageSuiteOptions): void {
  const onDisk = (name: string, body: (disk: SuiteDisk) => Promise<void>): void => {
    test(name, async () => {
      const harness = await factory();
      try {
        await body(new SuiteDisk(harness));
      } finally {
        await harness.destroy();
      }
    });
  };
  basics(onDisk);
  images(onDisk);
  streams(onDisk);
  if (supports.crash) crashes(onDisk);
  if (supports.corruptEntry) onDisk("a damaged entry is reported, and nothing else", damagedEntry);
  if (supports.corruptImage) onDisk("a damaged image is reported", damagedImage);
  if (supports.failWrites) onDisk("after a write that failed every later one fails", failedWrite);
}

type OnDisk = (name: string, body: (disk: SuiteDisk) => Promise<void>) => void;

/** Numbers the writes of each opening and remembers what was acknowledged. */
class SuiteDisk {
  readonly harness: AcceptorStorageHarness;
  readonly acknowledged: DurableRecord[] = [];
  private readonly saved = new Map<Slot, Uint8Array>();
  private storage: AcceptorStorage | undefined;
  private writes = 0;

  constructor(harness: AcceptorStorageHarness) {
    this.harness = harness;
  }

  async open(): Promise<Recovered> {
    this.storage = await this.harness.open();
    this.writes = 0;
    return this.storage.recover();
  }

  async reopen(): Promise<Recovered> {
    await this.current.close();
    return this.open();
  }

  get current(): AcceptorStorage {
    assert(this.storage !== undefined, "the disk is open");
    return this.storage;
  }

  async write(...records: DurableRecord[]): Promise<void> {
    const write = ++this.writes as WriteId;
    await this.current.write({ write, settled: (write - 1) as WriteId, records });
    this.acknowledged.push(...records);
  }

  async perform({ image, records }: StreamStep): Promise<void> {
    if (image !== undefined) await this.save(image.slot, image.bytes);
    await this.write(...records);
  }

  async save(slot: Slot, image: Uint8Array): Promise<void> {
    await this.current.saveImage(slot, image);
    this.saved.set(slot, image);
  }

  /** What must be recovered after `records`. */
  expected(records: readonly DurableRecord[] = this.acknowledged): Recovered {
    return recover(records, (checkpoint) =>
      this.imageOf(checkpoint, records)?.slice(0, checkpoint.prefaceSize),
    );
  }

  imageOf(checkpoint: Checkpoint, records: readonly DurableRecord[]): Uint8Array | undefined {
    const saved = this.saved.get(checkpoint.slot);
    if (saved !== undefined && crc32c(saved) === checkpoint.checksum) return saved;
    const pieces = records.filter(
      (record) => record.kind === "chunk" && record.checkpoint.slot === checkpoint.slot,
    );
    return Uint8Array.from(pieces.flatMap((record) => (record.kind === "chunk" ? [...record.bytes] : [])));
  }
}

/** Recovered states compared as data: a byte array is equal to another of whatever class. */
function assertRecovered(actual: Recovered, expected: Recovered, message?: string): void {
  const plain = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value, (_key, item: unknown) =>
        item instanceof Uint8Array ? { bytes: [...item] } : item,
      ),
      // A Buffer turns itself into data before the replacer sees it.
      (_key, item: { type?: unknown; data?: unknown }) =>
        item?.type === "Buffer" ? { bytes: item.data } : item,
    );
  assert.deepEqual(plain(actual), plain(expected), message);
}

const identity = { kind: "identity", replica: replicaId(1), genesis: SUITE_CONFIGURATION, run: 1 } as const;
const promised = (round: number): DurableRecord => ({ kind: "promised", ballot: ballotOf(round) });
const accepted = (round: number, first: number, count: number): DurableRecord => ({
  kind: "accepted",
  ballot: ballotOf(round),
  first: first as Slot,
  entries: Array.from({ length: count }, (_, i) => commandAt(first + i, `round ${round} slot ${first + i}`)),
});
const decided = (at: number): DurableRecord => ({ kind: "decided", slot: at as Slot, chain: at * 17 });

function basics(onDisk: OnDisk): void {
  onDisk("an empty disk recovers as empty", async (disk) => {
    assertRecovered(await disk.open(), EMPTY_DISK);
  });
  onDisk("every kind of record and of entry survives", async (disk) => {
    await disk.open();
    await disk.write(identity, promised(1));
    const entries = [commandAt(1), noOpAt(2), membershipAt(3), commandAt(4, "")];
    await disk.write({ kind: "accepted", ballot: ballotOf(1), first: 1 as Slot, entries }, decided(2));
    await disk.write({ kind: "learned", first: 3 as Slot, entries: [membershipAt(3)] }, promised(2));
    assertRecovered(await disk.reopen(), disk.expected());
  });
  onDisk("a later ballot replaces what was accepted in a slot, and no other", async (disk) => {
    await disk.open();
    await disk.write(identity, promised(1), accepted(1, 1, 5));
    await disk.write(promised(3), accepted(3, 2, 2));
    await disk.write(accepted(3, 9, 1));
    const recovered = await disk.reopen();
    assertRecovered(recovered, disk.expected());
    assert.deepEqual(
      recovered.entries.map(({ slot, ballot }) => [slot, ballot.round]),
      [
        [1, 1],
        [2, 3],
        [3, 3],
        [4, 1],
        [5, 1],
        [9, 3],
      ],
    );
  });
  onDisk("several writes under way resolve in order", async (disk) => {
    await disk.open();
    const order: number[] = [];
    const writes = [[identity, promised(1)], [accepted(1, 1, 3)], [], [decided(2)]] as DurableRecord[][];
    await Promise.all(writes.map((records, i) => disk.write(...records).then(() => order.push(i))));
    assert.deepEqual(order, [0, 1, 2, 3]);
    assertRecovered(await disk.reopen(), disk.expected());
  });
  onDisk("a second close is harmless", async (disk) => {
    await disk.open();
    await disk.current.close();
    await disk.current.close();
  });
}

function images(onDisk: OnDisk): void {
  onDisk("a saved image becomes current with its record, and lets the log below go", async (disk) => {
    await disk.open();
    await disk.write(identity, promised(1), accepted(1, 1, 9), decided(8));
    const { checkpoint, image } = imageAt(6, 5000);
    await disk.save(checkpoint.slot, image);
    await disk.write({ kind: "checkpoint", checkpoint, trimmed: 4 as Slot });
    const recovered = await disk.reopen();
    assertRecovered(recovered, disk.expected());
    assert.deepEqual(
      recovered.entries.map(({ slot }) => slot),
      [5, 6, 7, 8, 9],
    );
    await assertImage(disk, checkpoint, image);
  });
  onDisk("the image before the current one is gone", async (disk) => {
    await disk.open();
    await disk.write(identity, promised(1), accepted(1, 1, 9), decided(9));
    for (const at of [3, 7]) {
      const { checkpoint, image } = imageAt(at, 100 + at);
      await disk.save(checkpoint.slot, image);
      await disk.write({ kind: "checkpoint", checkpoint, trimmed: at as Slot });
    }
    assert.equal(await disk.current.readImage(3 as Slot, 0, 10), undefined);
    await assertImage(disk, imageAt(7, 107).checkpoint, imageAt(7, 107).image);
    assertRecovered(await disk.reopen(), disk.expected());
    assert.equal(await disk.current.readImage(3 as Slot, 0, 10), undefined);
  });
  onDisk("an image is received in pieces, also across a restart", async (disk) => {
    await disk.open();
    const { checkpoint, image } = imageAt(50, 1000);
    const pieces = chunksOf(checkpoint, image, 300);
    await disk.write(identity, promised(1), pieces[0]!);
    await disk.write(pieces[1]!);
    const staged = (await disk.reopen()).staged;
    assert.deepEqual([staged?.received, staged?.running], [600, crc32c(image.subarray(0, 600))]);
    await disk.write(pieces[2]!);
    await disk.write(pieces[3]!, { kind: "checkpoint", checkpoint, trimmed: 50 as Slot });
    const recovered = await disk.reopen();
    assertRecovered(recovered, disk.expected());
    assert.equal(recovered.staged, undefined);
    await assertImage(disk, checkpoint, image);
  });
  onDisk("the first piece of another image discards the pieces of the one before", async (disk) => {
    await disk.open();
    const [before, after] = [imageAt(50, 400), imageAt(60, 500)];
    await disk.write(
      identity,
      promised(1),
      ...chunksOf(before.checkpoint, before.image.subarray(0, 200), 100),
    );
    await disk.write(...chunksOf(after.checkpoint, after.image, 100));
    const staged = (await disk.reopen()).staged;
    assert.deepEqual([staged?.checkpoint.slot, staged?.received], [60, 500]);
    await disk.write({ kind: "checkpoint", checkpoint: after.checkpoint, trimmed: 60 as Slot });
    await assertImage(disk, after.checkpoint, after.image);
  });
}

async function assertImage(disk: SuiteDisk, { slot, size }: Checkpoint, image: Uint8Array): Promise<void> {
  const whole = await disk.current.readImage(slot, 0, size);
  assert(whole !== undefined && Buffer.compare(whole, image) === 0, "the image is what was stored");
  const middle = await disk.current.readImage(slot, 10, 20);
  assert(
    middle !== undefined && Buffer.compare(middle, image.subarray(10, 30)) === 0,
    "a piece is read by offset",
  );
  const tail = await disk.current.readImage(slot, size - 5, 100);
  assert.equal(tail?.length, 5, "a piece ends with the image");
}

function streams(onDisk: OnDisk): void {
  onDisk("random streams recover as the fold of their records says, reopened at any point", async (disk) => {
    await disk.open();
    for (const step of randomStream(1, 60)) {
      await disk.perform(step);
      assertRecovered(await disk.reopen(), disk.expected());
    }
  });
  for (const seed of SEEDS) {
    onDisk(`a random stream, seed ${seed}`, async (disk) => {
      await disk.open();
      for (const step of randomStream(seed, 40)) await disk.perform(step);
      assertRecovered(await disk.reopen(), disk.expected(), `seed ${seed}`);
    });
  }
}

function crashes(onDisk: OnDisk): void {
  onDisk("a crash keeps what was acknowledged and a prefix of the rest", async (disk) => {
    await disk.open();
    const stream = randomStream(3, 30);
    for (const step of stream.slice(0, 20)) await disk.perform(step);
    const before = [...disk.acknowledged];
    const rest = stream.slice(20).filter(({ image }) => image === undefined);
    const attempts = rest.map((step) => disk.perform(step).catch(() => undefined));
    await disk.harness.crash?.();
    await Promise.all(attempts);
    const actual = await disk.open();
    const all = [...before, ...rest.flatMap(({ records }) => records)];
    const prefixes = all
      .slice(before.length)
      .map((_, i) => disk.expected(all.slice(0, before.length + i + 1)));
    const candidates = [disk.expected(before), ...prefixes];
    const matches = candidates.some((candidate) => {
      try {
        assertRecovered(actual, candidate);
        return true;
      } catch {
        return false;
      }
    });
    assert(matches, "what is recovered is a prefix that holds all that was acknowledged");
  });
}

async function damagedEntry(disk: SuiteDisk): Promise<void> {
  await disk.open();
  await disk.write(identity, promised(1), accepted(1, 1, 3));
  await disk.write(accepted(1, 4, 3));
  await disk.current.close();
  await disk.harness.corruptEntry?.(2 as Slot);
  const recovered = await disk.open();
  const readable = recovered.entries.filter(
    ({ entry, slot }) => entry !== undefined && isIntact(entry, slot),
  );
  assert.deepEqual(
    recovered.entries.map(({ slot }) => slot),
    [1, 2, 3, 4, 5, 6],
    "the slot is not denied",
  );
  assert.deepEqual(
    readable.map(({ slot }) => slot),
    [1, 3, 4, 5, 6],
    "the damage is found, and only there",
  );
}

async function damagedImage(disk: SuiteDisk): Promise<void> {
  await disk.open();
  await disk.write(identity, promised(1), accepted(1, 1, 9), decided(8));
  const { checkpoint, image } = imageAt(6, 500);
  await disk.save(checkpoint.slot, image);
  await disk.write({ kind: "checkpoint", checkpoint, trimmed: 6 as Slot });
  await disk.current.close();
  await disk.harness.corruptImage?.(6 as Slot);
  const recovered = await disk.open();
  assert.equal(recovered.preface, undefined, "an image whose checksum does not hold has no preface");
  assert.equal(recovered.checkpoint?.slot, 6);
}

async function failedWrite(disk: SuiteDisk): Promise<void> {
  await disk.open();
  await disk.write(identity, promised(1));
  await disk.write(accepted(1, 1, 2));
  await disk.harness.failWrites?.(1);
  await assert.rejects(disk.write(accepted(1, 3, 1)));
  await assert.rejects(disk.write(accepted(1, 4, 1)));
  const recovered = await disk.open();
  const slots = recovered.entries.map(({ slot }) => slot);
  assert(
    slots.length === 2 || (slots.length === 3 && slots[2] === 3),
    "what was acknowledged is there, in order",
  );
}
