/** Random streams of records such as a replica writes, with the images that go with them, for the compliance suite. */
import { type Ballot, ZERO_BALLOT } from "../ballot.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { crc32c, entryChecksum } from "../checksum.ts";
import type { Configuration } from "../configuration.ts";
import type { DurableRecord } from "../durable-record.ts";
import type { Entry } from "../entry.ts";
import { Random } from "../random.ts";
import { replicaId } from "../replica-id.ts";
import type { Slot } from "../slot.ts";

export const SUITE_CONFIGURATION: Configuration = {
  voters: [replicaId(1), replicaId(2), replicaId(3)],
  learners: [{ replica: replicaId(4, 7), promote: true }],
  retired: [replicaId(4, 6)],
  quorums: { prepare: 2, accept: 2 },
};

export function ballotOf(round: number, node = 1): Ballot {
  return { round, priority: round % 2, replica: replicaId(node) };
}

export function commandAt(at: number, text = `command ${at}`): Entry {
  const command = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const unsealed = { kind: "command", client: 2 ** 52 + at, sequence: at, command } as const;
  return { ...unsealed, checksum: entryChecksum(unsealed, at as Slot) };
}

export function noOpAt(at: number): Entry {
  return { kind: "noop", checksum: entryChecksum({ kind: "noop" }, at as Slot) };
}

export function membershipAt(at: number, configuration = SUITE_CONFIGURATION): Entry {
  const unsealed = { kind: "membership", configuration } as const;
  return { ...unsealed, checksum: entryChecksum(unsealed, at as Slot) };
}

/** An image of `size` bytes whose first eight are the preface, and its checkpoint. */
export function imageAt(
  at: number,
  size: number,
): { readonly checkpoint: Checkpoint; readonly image: Uint8Array } {
  const image = Uint8Array.from({ length: size }, (_, i) => (i * 31 + at) & 0xff);
  const checkpoint = {
    slot: at as Slot,
    chain: at * 1_000_003,
    configuration: SUITE_CONFIGURATION,
    size,
    checksum: crc32c(image),
    prefaceSize: Math.min(8, size),
  };
  return { checkpoint, image };
}

export interface StreamStep {
  readonly records: readonly DurableRecord[];
  /** To be saved before the records are written. */
  readonly image?: { readonly slot: Slot; readonly bytes: Uint8Array };
}

/** A stream that keeps the order rules: promises rise, what is decided was accepted, what is trimmed is in an image. */
export function randomStream(seed: number, steps: number): StreamStep[] {
  return new StreamBuilder(new Random(seed)).build(steps);
}

class StreamBuilder {
  private readonly random: Random;
  private ballot = ZERO_BALLOT;
  private last = 0;
  private decided = 0;
  private checkpoint = 0;
  private trimmed = 0;

  constructor(random: Random) {
    this.random = random;
  }

  build(steps: number): StreamStep[] {
    const identity = {
      kind: "identity",
      replica: replicaId(1),
      genesis: SUITE_CONFIGURATION,
      run: 1,
    } as const;
    const stream: StreamStep[] = [{ records: [identity, this.promise()] }];
    while (stream.length < steps) stream.push(this.step());
    return stream;
  }

  private step(): StreamStep {
    const dice = this.random.below(10);
    if (dice < 1) return { records: [this.promise()] };
    if (dice < 5) return { records: [this.accept(), ...(this.random.below(2) === 0 ? [this.decide()] : [])] };
    if (dice < 6) return { records: [this.decide()] };
    if (dice < 7) return { records: [this.learn()] };
    if (dice < 8) return this.checkpointStep();
    if (dice < 9) return { records: [this.trim()] };
    return this.receiveStep();
  }

  private promise(): DurableRecord {
    this.ballot = ballotOf(this.ballot.round + 1, 1 + this.random.below(3));
    return { kind: "promised", ballot: this.ballot };
  }

  private entries(first: number, count: number): Entry[] {
    return Array.from({ length: count }, (_, i) => {
      const at = first + i;
      const kind = this.random.below(12);
      return kind === 0
        ? noOpAt(at)
        : kind === 1
          ? membershipAt(at)
          : commandAt(at, `r${this.ballot.round} s${at}`);
    });
  }

  private accept(): DurableRecord {
    const first = this.decided + 1 + this.random.below(Math.max(1, this.last - this.decided + 2));
    const entries = this.entries(first, 1 + this.random.below(5));
    this.last = Math.max(this.last, first + entries.length - 1);
    return { kind: "accepted", ballot: this.ballot, first: first as Slot, entries };
  }

  private decide(): DurableRecord {
    this.decided += this.random.below(this.last - this.decided + 1);
    return { kind: "decided", slot: this.decided as Slot, chain: this.decided * 7919 };
  }

  private learn(): DurableRecord {
    const first = this.decided + 1;
    const entries = this.entries(first, 1 + this.random.below(4));
    this.decided = first + entries.length - 1;
    this.last = Math.max(this.last, this.decided);
    return { kind: "learned", first: first as Slot, entries };
  }

  private checkpointStep(): StreamStep {
    if (this.decided <= this.checkpoint) return { records: [this.promise()] };
    this.checkpoint += 1 + this.random.below(this.decided - this.checkpoint);
    const { checkpoint, image } = imageAt(this.checkpoint, 8 + this.random.below(100));
    this.trimmed = Math.max(this.trimmed, this.checkpoint - this.random.below(6));
    const slot = checkpoint.slot;
    return {
      records: [{ kind: "checkpoint", checkpoint, trimmed: this.trimmed as Slot }],
      image: { slot, bytes: image },
    };
  }

  private trim(): DurableRecord {
    this.trimmed += this.random.below(this.checkpoint - this.trimmed + 1);
    return { kind: "trimmed", slot: this.trimmed as Slot };
  }

  /** Some pieces of an image, and sometimes all, after which it is current. */
  private receiveStep(): StreamStep {
    const { checkpoint, image } = imageAt(this.last + 1 + this.random.below(3), 30 + this.random.below(60));
    const complete = this.random.below(2) === 0;
    const end = complete ? image.length : 1 + this.random.below(image.length - 1);
    const records = chunksOf(checkpoint, image.subarray(0, end), 1 + this.random.below(20));
    if (!complete) return { records };
    this.checkpoint = this.trimmed = this.decided = this.last = checkpoint.slot;
    return { records: [...records, { kind: "checkpoint", checkpoint, trimmed: checkpoint.slot }] };
  }
}

/** The records by which `bytes`, the start of an image, are received in pieces of `length` bytes. */
export function chunksOf(checkpoint: Checkpoint, bytes: Uint8Array, length: number): DurableRecord[] {
  const records: DurableRecord[] = [];
  let running = 0;
  for (let offset = 0; offset < bytes.length; offset += length) {
    const piece = bytes.slice(offset, offset + length);
    running = crc32c(piece, running);
    records.push({ kind: "chunk", checkpoint, offset, bytes: piece, running });
  }
  return records;
}
