// What is on the disk of a node: the logs of its groups, each an ordered stream of synced writes as in the simulation of one group, and
// the node's record. One device is under all of them, so that what slows, stalls or fails it does so for all.

import type { RecordStore } from "@khonsu/cluster";
import type { AcceptorStorage } from "@khonsu/paxos";
import { Disk, type DiskBatch, type DiskError } from "../disk.ts";
import type { FaultyDisk } from "../fault-injector.ts";
import { ReplicaStorage } from "../paxos/replica-storage.ts";
import { FRAME_CODEC, type StoredFrame } from "../paxos/stored-frame.ts";
import type { Prng } from "../prng.ts";
import type { Scheduler } from "../scheduler.ts";
import { openAcceptorStorage } from "./acceptor-storage.ts";
import type { NodeProcess } from "./node-machine.ts";

const SAVE_MS = 1;

export interface NodeDiskOptions {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  /** Mean time that a sync takes above 50 µs, in microseconds. */
  readonly syncMeanUs: number;
  readonly onDurable: (group: number, batch: DiskBatch<StoredFrame>) => void;
}

export class NodeDisk implements FaultyDisk {
  readonly #options: NodeDiskOptions;
  readonly #groups = new Map<number, Disk<StoredFrame>>();
  /** What has been done to the device and is not undone, for groups that come later. */
  #slowness = 1;
  #isStalled = false;
  #error: DiskError | undefined;
  #record: string | undefined;
  #made = 0;

  constructor(options: NodeDiskOptions) {
    this.#options = options;
  }

  get groups(): ReadonlyMap<number, Disk<StoredFrame>> {
    return this.#groups;
  }

  /** The log of a group, for the replica that `process` runs of it. */
  open(group: number, process: NodeProcess): AcceptorStorage {
    return openAcceptorStorage(new ReplicaStorage(this.#group(group)), process);
  }

  delete(group: number): void {
    this.#groups.get(group)?.wipe();
    this.#groups.delete(group);
  }

  /** The record as `process` sees it: what is not saved when it ends never is. */
  record(process: NodeProcess): RecordStore {
    return {
      load: async () => this.#record,
      save: (text) =>
        new Promise((resolve) => {
          process.schedule(SAVE_MS, () => {
            this.#record = text;
            resolve();
          });
        }),
    };
  }

  /** Loses power. */
  crash(): void {
    for (const disk of this.#groups.values()) disk.crash();
  }

  wipe(): void {
    for (const disk of this.#groups.values()) disk.wipe();
    this.#groups.clear();
    this.#record = undefined;
  }

  slowDown(factor: number): void {
    this.#slowness = factor;
    for (const disk of this.#groups.values()) disk.slowDown(factor);
  }

  stall(): void {
    this.#isStalled = true;
    for (const disk of this.#groups.values()) disk.stall();
  }

  resume(): void {
    this.#isStalled = false;
    for (const disk of this.#groups.values()) disk.resume();
  }

  failWrites(error: DiskError | undefined): void {
    this.#error = error;
    for (const disk of this.#groups.values()) disk.failWrites(error);
  }

  keys(): string[] {
    return [...this.#groups].flatMap(([group, disk]) => disk.keys().map((key) => `${group}:${key}`));
  }

  rot(key: string): boolean {
    const [disk, own] = this.locate(key);
    return disk?.rot(own) ?? false;
  }

  /** Reads from the wrong place of the same log; a record of another group would never pass for one of this. */
  misdirect(key: string, other: string): boolean {
    const [disk, own] = this.locate(key);
    const [otherDisk, otherOwn] = this.locate(other);
    return disk !== undefined && disk === otherDisk && disk.misdirect(own, otherOwn);
  }

  makeUnreadable(key: string): boolean {
    const [disk, own] = this.locate(key);
    return disk?.makeUnreadable(own) ?? false;
  }

  /** The log that `key` is of, and its name there. */
  locate(key: string): [Disk<StoredFrame> | undefined, string] {
    const [group] = key.split(":", 1) as [string];
    return [this.#groups.get(Number(group)), key.slice(group.length + 1)];
  }

  get counts(): { lost: number; torn: number; failed: number } {
    const sum = { lost: 0, torn: 0, failed: 0 };
    for (const { counts } of this.#groups.values()) {
      sum.lost += counts.lostBatches;
      sum.torn += counts.tornBatches;
      sum.failed += counts.failedSyncs;
    }
    return sum;
  }

  #group(group: number): Disk<StoredFrame> {
    const known = this.#groups.get(group);
    if (known !== undefined) return known;
    const { onDurable, prng, scheduler, syncMeanUs } = this.#options;
    this.#made += 1;
    const disk = new Disk<StoredFrame>(scheduler, prng.split(`${group}/${this.#made}`), {
      codec: FRAME_CODEC,
      syncMinUs: 50,
      syncMeanUs,
      tearsBatches: true,
      onDurable: (batch) => onDurable(group, batch),
    });
    disk.slowDown(this.#slowness);
    if (this.#isStalled) disk.stall();
    disk.failWrites(this.#error);
    this.#groups.set(group, disk);
    return disk;
  }
}
