/**
 * A cluster in one thread for whole-package tests: messages and writes wait in queues until the test delivers them, so every
 * order can be produced. No clock: `tick` is an input like any other.
 */
import type { Recovered } from "../src/acceptor-storage.ts";
import type { Checkpoint } from "../src/checkpoint.ts";
import { crc32c } from "../src/checksum.ts";
import type { Configuration } from "../src/configuration.ts";
import type { DurableRecord } from "../src/durable-record.ts";
import type { Effect, PersistEffect } from "../src/effect.ts";
import type { DecidedEntry } from "../src/entry.ts";
import type { Input } from "../src/input.ts";
import type { Envelope } from "../src/message.ts";
import type { ReplicaOptions } from "../src/options.ts";
import { EMPTY_DISK, recover } from "../src/recovery.ts";
import { Replica } from "../src/replica.ts";
import { nodeOf, type ReplicaId } from "../src/replica-id.ts";
import type { Slot } from "../src/slot.ts";

/** The disk of one replica: what is durable, what was written and is not, and images. */
export interface Disk {
  records: DurableRecord[];
  pending: PersistEffect[];
  images: Map<number, Uint8Array>;
  staged: Uint8Array;
}

/** What a replica told its state machine and its clients. */
export interface Node {
  readonly id: ReplicaId;
  replica: Replica;
  disk: Disk;
  up: boolean;
  /** The state machine: the commands applied, in order, as text, with their slots. */
  applied: { slot: number; command: string }[];
  effects: Effect[];
  appliedThrough: number;
  readonly start: ReplicaOptions["start"];
}

export class Cluster {
  readonly nodes = new Map<ReplicaId, Node>();
  network: Envelope[] = [];
  /** Links that lose everything, as `from>to`. */
  readonly cut = new Set<string>();
  /** Called for each message that reaches its receiver, before it is taken. */
  onDeliver: (envelope: Envelope) => void = () => {};
  /** Nodes whose writes are never flushed by `settle`. */
  readonly stalled = new Set<ReplicaId>();
  /** Called for each effect, before it is carried out. */
  onEffect: (node: Node, effect: Effect) => void = () => {};
  private readonly options: Partial<ReplicaOptions>;

  constructor(options: Partial<ReplicaOptions> = {}) {
    this.options = options;
  }

  add(id: ReplicaId, start: ReplicaOptions["start"], options: Partial<ReplicaOptions> = {}): Node {
    const disk: Disk = { records: [], pending: [], images: new Map(), staged: new Uint8Array() };
    const replica = new Replica(
      { self: id, seed: id % 1000, start, ...this.options, ...options },
      EMPTY_DISK,
    );
    const node: Node = { id, replica, disk, up: true, applied: [], effects: [], appliedThrough: 0, start };
    this.nodes.set(id, node);
    this.carryOut(node, replica.start());
    return node;
  }

  found(configuration: Configuration, options: Partial<ReplicaOptions> = {}): void {
    for (const id of configuration.voters) this.add(id, { kind: "found", configuration }, options);
  }

  node(id: ReplicaId): Node {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  step(id: ReplicaId, input: Input): readonly Effect[] {
    const node = this.node(id);
    if (!node.up) return [];
    const effects = node.replica.step(input);
    this.carryOut(node, effects);
    return effects;
  }

  private carryOut(node: Node, effects: readonly Effect[]): void {
    for (const effect of effects) {
      this.onEffect(node, effect);
      node.effects.push(effect);
      this.carryOutOne(node, effect);
    }
  }

  private carryOutOne(node: Node, effect: Effect): void {
    switch (effect.kind) {
      case "persist":
        node.disk.pending.push(effect);
        break;
      case "send":
        this.network.push(effect.envelope);
        break;
      case "decided":
        this.apply(node, effect.first, effect.entries);
        break;
      case "takeCheckpoint": {
        const image = concat(effect.preface, encodeState(node));
        node.disk.images.set(effect.slot, image);
        const input = {
          kind: "checkpointTaken",
          slot: effect.slot,
          size: image.length,
          checksum: crc32c(image),
        } as const;
        this.step(node.id, input);
        break;
      }
      case "readChunk": {
        const bytes = node.disk.images.get(effect.slot)?.slice(effect.offset, effect.offset + effect.length);
        this.step(node.id, {
          kind: "chunkRead",
          to: effect.to,
          slot: effect.slot,
          offset: effect.offset,
          bytes,
        });
        break;
      }
      case "restore":
        this.restore(node, effect.checkpoint);
        break;
    }
  }

  private apply(node: Node, first: Slot, entries: readonly DecidedEntry[]): void {
    if (first !== node.appliedThrough + 1)
      throw new Error(`node ${node.id} skips from ${node.appliedThrough} to ${first}`);
    entries.forEach((entry, i) => {
      if (entry.kind === "command")
        node.applied.push({ slot: first + i, command: Buffer.from(entry.command).toString() });
    });
    node.appliedThrough = first + entries.length - 1;
  }

  private restore(node: Node, checkpoint: Checkpoint): void {
    const image = node.disk.images.get(checkpoint.slot);
    if (image === undefined) throw new Error(`node ${node.id} has no image at ${checkpoint.slot}`);
    decodeState(node, image.slice(checkpoint.prefaceSize), checkpoint.slot);
    const preface = image.slice(0, checkpoint.prefaceSize);
    this.step(node.id, { kind: "restored", slot: checkpoint.slot, preface });
  }

  /** Makes the oldest `count` pending writes of a node durable and lets what they release go. */
  flush(id: ReplicaId, count = Number.POSITIVE_INFINITY): void {
    const { disk } = this.node(id);
    for (let i = 0; i < count && disk.pending.length > 0; i++) {
      const effect = disk.pending.shift()!;
      for (const record of effect.records) this.store(disk, record);
      disk.records.push(...effect.records);
      this.network.push(...effect.release);
      this.step(id, { kind: "persisted", write: effect.write });
    }
  }

  private store(disk: Disk, record: DurableRecord): void {
    if (record.kind === "chunk") disk.staged = concat(disk.staged.slice(0, record.offset), record.bytes);
    if (record.kind === "checkpoint" && disk.staged.length === record.checkpoint.size) {
      if (crc32c(disk.staged) === record.checkpoint.checksum)
        disk.images.set(record.checkpoint.slot, disk.staged);
    }
  }

  /** Delivers the message at `index` of the network, or drops it if its link is cut or its receiver is down. */
  deliver(index = 0): void {
    const [envelope] = this.network.splice(index, 1);
    if (envelope === undefined) return;
    const { from, to, message } = envelope;
    const receiver = [...this.nodes.values()].find((node) => nodeOf(node.id) === nodeOf(to));
    if (receiver === undefined || this.cut.has(`${nodeOf(from)}>${nodeOf(to)}`)) return;
    if (!receiver.up) return;
    this.onDeliver(envelope);
    this.step(receiver.id, { kind: "received", from, to, message });
  }

  /** Delivers and flushes until nothing moves. */
  settle(limit = 100_000): void {
    for (let steps = 0; steps < limit; steps++) {
      const writer = [...this.nodes.values()].find(
        (node) => node.up && node.disk.pending.length > 0 && !this.stalled.has(node.id),
      );
      if (writer !== undefined) this.flush(writer.id, 1);
      else if (this.network.length > 0) this.deliver();
      else return;
    }
    throw new Error("the cluster does not come to rest");
  }

  /** One tick for every node that is up, then everything settles. */
  tick(times = 1): void {
    for (let i = 0; i < times; i++) {
      for (const id of [...this.nodes.keys()]) this.step(id, { kind: "tick" });
      this.settle();
    }
  }

  /** Ticks until `done`, at most `limit` times; returns how many it took. */
  tickUntil(done: () => boolean, limit = 200): number {
    for (let ticks = 0; ticks <= limit; ticks++) {
      if (done()) return ticks;
      this.tick();
    }
    throw new Error(`not within ${limit} ticks`);
  }

  get leaders(): Node[] {
    return [...this.nodes.values()].filter((node) => node.up && node.replica.status().role === "leader");
  }

  /** Power fails. Of the records not durable the first `kept` have reached the disk all the same. */
  crash(id: ReplicaId, kept = 0): void {
    const node = this.node(id);
    node.up = false;
    for (const record of node.disk.pending.flatMap(({ records }) => records).slice(0, kept)) {
      this.store(node.disk, record);
      node.disk.records.push(record);
    }
    node.disk.pending = [];
  }

  recovered(id: ReplicaId): Recovered {
    const { disk } = this.node(id);
    return recover(disk.records, (checkpoint) => {
      const image = disk.images.get(checkpoint.slot);
      if (image === undefined || crc32c(image) !== checkpoint.checksum) return undefined;
      return image.slice(0, checkpoint.prefaceSize);
    });
  }

  restart(
    id: ReplicaId,
    options: Partial<ReplicaOptions> = {},
    change?: (recovered: Recovered) => Recovered,
  ): void {
    const node = this.node(id);
    let recovered = this.recovered(id);
    if (change !== undefined) recovered = change(recovered);
    const { checkpoint, preface } = recovered;
    node.applied = [];
    node.appliedThrough = 0;
    const image = checkpoint === undefined ? undefined : node.disk.images.get(checkpoint.slot);
    if (checkpoint !== undefined && preface !== undefined && image !== undefined) {
      decodeState(node, image.slice(checkpoint.prefaceSize), checkpoint.slot);
    }
    const all = {
      self: id,
      seed: id % 1000,
      start: node.start,
      ...this.options,
      ...options,
    };
    node.replica = new Replica(all, recovered);
    node.up = true;
    this.carryOut(node, node.replica.start());
  }

  /** What every node that is up has applied; throws unless one is a prefix of the other. */
  agreed(): string[] {
    const histories = [...this.nodes.values()].map((node) =>
      node.applied.map(({ slot, command }) => `${slot}:${command}`),
    );
    const longest = histories.reduce((a, b) => (a.length >= b.length ? a : b), []);
    for (const history of histories) {
      history.forEach((item, i) => {
        if (item !== longest[i]) throw new Error(`histories differ: ${item} and ${longest[i]}`);
      });
    }
    return longest;
  }
}

export function propose(
  cluster: Cluster,
  id: ReplicaId,
  client: number,
  sequence: number,
  text: string,
): void {
  cluster.step(id, { kind: "proposed", proposals: [{ client, sequence, command: Buffer.from(text) }] });
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

function encodeState(node: Node): Uint8Array {
  return Buffer.from(JSON.stringify(node.applied));
}

function decodeState(node: Node, bytes: Uint8Array, slot: Slot): void {
  node.applied = JSON.parse(Buffer.from(bytes).toString());
  node.appliedThrough = slot;
}
