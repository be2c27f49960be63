// A disk as an ordered stream of writes over named records, with the semantics of a log that is synced: a batch is durable once a sync
// that was begun after it has ended, and a crash keeps all that is durable, any prefix of the batches behind it, and perhaps a torn
// piece of the next. Above that: bit rot, misdirected reads, I/O errors, a full, slow or stalled disk, a wiped one.
//
// Values are opaque. A codec says how one of them looks when it is torn or rots, so that bytes, text and objects all serve.
//
// Invariants: batches become durable in the order in which they were written; what was reported as synced survives every crash.

import type { Prng } from "./prng.ts";
import type { Scheduler, Timer } from "./scheduler.ts";

export type DiskOperation<V> =
  | { readonly kind: "put"; readonly key: string; readonly value: V }
  | { readonly kind: "delete"; readonly key: string };

export type DiskBatch<V> = readonly DiskOperation<V>[];

/** How a value is damaged. */
export interface DiskCodec<V> {
  /** What is left when only part of the value reached the disk. */
  tear(value: V, prng: Prng): V;
  /** The value with something flipped in it; never equal to the original. */
  rot(value: V, prng: Prng): V;
}

/** The reason why a write or a read failed. */
export type DiskError = "io-error" | "disk-full";

export type DiskRead<V> =
  | { readonly kind: "value"; readonly value: V }
  | { readonly kind: "missing" }
  | { readonly kind: "io-error" };

export interface DiskOptions<V> {
  readonly codec: DiskCodec<V>;
  /** The least duration of a sync, in microseconds. */
  readonly syncMinUs: number;
  /** Mean of the exponentially distributed time on top of it, in microseconds. */
  readonly syncMeanUs: number;
  /** Whether a crash may leave part of a batch. Unset for stores that write a batch atomically. */
  readonly tearsBatches: boolean;
  /** Called with each batch as it becomes durable, in order. */
  readonly onDurable?: (batch: DiskBatch<V>) => void;
}

interface PendingWrite<V> {
  readonly batch: DiskBatch<V>;
  readonly done: (error?: DiskError) => void;
}

/** The disk of one node. It outlives the node's crashes. */
export class Disk<V> {
  readonly counts = {
    syncs: 0,
    failedSyncs: 0,
    lostBatches: 0,
    tornBatches: 0,
    rotted: 0,
    misdirected: 0,
    wipes: 0,
  };
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #options: DiskOptions<V>;
  readonly #durable = new Map<string, V>();
  readonly #rotten = new Set<string>();
  readonly #misdirections = new Map<string, string>();
  readonly #unreadable = new Set<string>();
  #queue: PendingWrite<V>[] = [];
  #syncing: PendingWrite<V>[] = [];
  #timer: Timer | undefined;
  #slowness = 1;
  #stalled = false;
  #writeError: DiskError | undefined;
  #broken: DiskError | undefined;
  #epoch = 0;

  constructor(scheduler: Scheduler, prng: Prng, options: DiskOptions<V>) {
    this.#scheduler = scheduler;
    this.#prng = prng;
    this.#options = options;
  }

  /**
   * Writes a batch behind all earlier ones and syncs. `done` is called once it is durable, or with the error; it is never called
   * after a crash. Batches that wait while a sync runs share the next one (group commit).
   */
  write(batch: DiskBatch<V>, done: (error?: DiskError) => void): void {
    this.#queue.push({ batch, done });
    this.#startSync();
  }

  /** What a read of `key` returns, faults included. */
  read(key: string): DiskRead<V> {
    if (this.#unreadable.has(key)) return { kind: "io-error" };
    const value = this.#durable.get(this.#misdirections.get(key) ?? key);
    if (value === undefined || !this.#durable.has(key)) return { kind: "missing" };
    return { kind: "value", value };
  }

  /** The names of the records on the disk, sorted. */
  keys(): string[] {
    return [...this.#durable.keys()].sort();
  }

  /** The durable records as they really are: for checks from outside, not for the node. */
  get durable(): ReadonlyMap<string, V> {
    return this.#durable;
  }

  /** The names of the records whose reads return something wrong, or nothing: damaged and not yet written again. */
  get damagedKeys(): ReadonlySet<string> {
    return new Set([...this.#rotten, ...this.#misdirections.keys(), ...this.#unreadable]);
  }

  /** Whether batches wait for a sync. */
  get isBusy(): boolean {
    return this.#syncing.length > 0 || this.#queue.length > 0;
  }

  /** Loses power: unsynced batches survive as a random prefix, the next one may survive in part. A broken disk is whole again. */
  crash(): void {
    const unsynced = [...this.#syncing, ...this.#queue];
    this.#forgetQueue();
    if (this.#broken === undefined) this.#keepSome(unsynced);
    else this.counts.lostBatches += unsynced.length; // nothing is kept behind a write that failed
    this.#broken = undefined;
  }

  #keepSome(unsynced: readonly PendingWrite<V>[]): void {
    const survivors = unsynced.length === 0 ? 0 : this.#prng.integer(0, unsynced.length);
    for (const { batch } of unsynced.slice(0, survivors)) this.#apply(batch);
    this.counts.lostBatches += unsynced.length - survivors;
    const next = unsynced[survivors];
    if (next !== undefined && this.#options.tearsBatches && this.#prng.chance(0.5)) this.#tear(next.batch);
  }

  /** Loses everything. */
  wipe(): void {
    this.#forgetQueue();
    this.#broken = undefined;
    this.#durable.clear();
    this.#rotten.clear();
    this.#misdirections.clear();
    this.#unreadable.clear();
    this.counts.wipes += 1;
  }

  /** Syncs take `factor` times as long from the next one on. */
  slowDown(factor: number): void {
    this.#slowness = factor;
  }

  /** No sync ends until `resume`. */
  stall(): void {
    this.#stalled = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Ends a stall; the sync under way starts again. */
  resume(): void {
    this.#stalled = false;
    this.#schedule();
  }

  /**
   * Every sync fails with `error`, until it is cleared with `undefined`. What a failed sync leaves on the disk is as uncertain as
   * after a crash, and all later writes fail as well until the node restarts: nothing is ever durable behind a hole.
   */
  failWrites(error: DiskError | undefined): void {
    this.#writeError = error;
  }

  /** Damages one durable record. False when there is none of that name. */
  rot(key: string): boolean {
    const value = this.#durable.get(key);
    if (value === undefined) return false;
    this.#durable.set(key, this.#options.codec.rot(value, this.#prng));
    this.#rotten.add(key);
    this.counts.rotted += 1;
    return true;
  }

  /** Reads of `key` return what stands under `other`, until `key` is written again. */
  misdirect(key: string, other: string): boolean {
    if (key === other || !this.#durable.has(key) || !this.#durable.has(other)) return false;
    this.#misdirections.set(key, other);
    this.counts.misdirected += 1;
    return true;
  }

  /** Reads of `key` fail, until it is written again. */
  makeUnreadable(key: string): boolean {
    if (!this.#durable.has(key)) return false;
    this.#unreadable.add(key);
    return true;
  }

  #startSync(): void {
    if (this.#syncing.length > 0 || this.#queue.length === 0) return;
    this.#syncing = this.#queue;
    this.#queue = [];
    this.#schedule();
  }

  #schedule(): void {
    if (this.#stalled || this.#syncing.length === 0) return;
    const { syncMinUs, syncMeanUs } = this.#options;
    const durationUs = (syncMinUs + this.#prng.exponential(syncMeanUs)) * this.#slowness;
    this.#timer?.cancel();
    this.#timer = this.#scheduler.after(durationUs, () => this.#endSync());
  }

  #endSync(): void {
    const synced = this.#syncing;
    const epoch = this.#epoch;
    this.#syncing = [];
    this.#timer = undefined;
    const error = this.#commit(synced);
    this.#startSync();
    for (const { done } of synced) {
      if (this.#epoch !== epoch) return; // the node crashed in the middle of these calls
      done(error);
    }
  }

  #commit(synced: readonly PendingWrite<V>[]): DiskError | undefined {
    if (this.#broken !== undefined) return this.#broken;
    if (this.#writeError === undefined) {
      this.counts.syncs += 1;
      for (const { batch } of synced) this.#apply(batch);
      return undefined;
    }
    this.counts.failedSyncs += 1;
    this.#broken = this.#writeError;
    this.#keepSome(synced);
    return this.#broken;
  }

  #apply(batch: DiskBatch<V>): void {
    for (const operation of batch) this.#applyOne(operation);
    this.#options.onDurable?.(batch);
  }

  #applyOne(operation: DiskOperation<V>): void {
    this.#rotten.delete(operation.key);
    this.#misdirections.delete(operation.key);
    this.#unreadable.delete(operation.key);
    if (operation.kind === "put") this.#durable.set(operation.key, operation.value);
    else this.#durable.delete(operation.key);
  }

  /** Leaves a prefix of the batch, the operation after it torn. */
  #tear(batch: DiskBatch<V>): void {
    if (batch.length === 0) return;
    this.counts.tornBatches += 1;
    const whole = this.#prng.integer(0, batch.length - 1);
    this.#apply(batch.slice(0, whole));
    const torn = batch[whole];
    if (torn?.kind !== "put") return;
    this.#applyOne({ ...torn, value: this.#options.codec.tear(torn.value, this.#prng) });
  }

  #forgetQueue(): void {
    this.#epoch += 1;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#syncing = [];
    this.#queue = [];
  }
}
