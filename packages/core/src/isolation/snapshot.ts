/**
 * The open snapshots, oldest to newest, and with each of them what must be kept only as long as it is open
 * (version pruning). A superseded version hangs on the newest snapshot that sees it; when that one ends, the version
 * moves to the next older snapshot that sees it too, or goes. So a version is kept exactly as long as somebody can read it.
 *
 * That a key is absent must be remembered longer than for its readers: a transaction that may still be certified has to
 * find out that a key came and went. So the snapshots with such transactions form a list of their own among the others.
 */
import type { CommitTimestamp } from "./timestamp.ts";
import type { Version, VersionChain } from "./version-chain.ts";
import type { VersionStore } from "./version-store.ts";

export class Snapshot<V> {
  readonly timestamp: CommitTimestamp;
  /** In milliseconds, of the clock of the store. */
  readonly openedAt: number;
  readers = 0;
  /** How many of the readers will be certified at their commit. */
  certified = 0;
  /**
   * Whether a read-only transaction at this snapshot could complete a dangerous structure: a transaction that was
   * active when it was taken has committed with an out-conflict to one committed before (Ports & Grittner 2012, §4.2).
   */
  unsafe = false;
  older: Snapshot<V> | undefined;
  newer: Snapshot<V> | undefined = undefined;
  /** Neighbours among the snapshots with `certified > 0`. */
  olderCertified: Snapshot<V> | undefined = undefined;
  newerCertified: Snapshot<V> | undefined = undefined;
  /** Invariant: each was visible here, is superseded, and is visible to no newer snapshot. */
  superseded: Version<V>[] | undefined = undefined;
  /** Absent keys to forget once nobody is certified any more against this snapshot or an older one. */
  absent: VersionChain<V>[] | undefined = undefined;

  constructor(timestamp: CommitTimestamp, openedAt: number, older: Snapshot<V> | undefined) {
    this.timestamp = timestamp;
    this.openedAt = openedAt;
    this.older = older;
  }
}

export class Snapshots<V> {
  oldest: Snapshot<V> | undefined = undefined;
  newest: Snapshot<V> | undefined = undefined;
  oldestCertified: Snapshot<V> | undefined = undefined;
  newestCertified: Snapshot<V> | undefined = undefined;
  /** Versions that are kept although superseded. */
  supersededCount = 0;
  readonly #store: VersionStore<V>;

  constructor(store: VersionStore<V>) {
    this.#store = store;
  }

  /** Opens a snapshot at `timestamp`, which is at or above that of every open one. `clock` gives milliseconds. */
  open(timestamp: CommitTimestamp, clock: () => number, isCertified: boolean): Snapshot<V> {
    let snapshot = this.newest;
    if (snapshot === undefined || snapshot.timestamp !== timestamp) {
      const older = snapshot;
      snapshot = new Snapshot<V>(timestamp, clock(), older);
      if (older === undefined) this.oldest = snapshot;
      else older.newer = snapshot;
      this.newest = snapshot;
    }
    snapshot.readers++;
    if (isCertified && ++snapshot.certified === 1) this.#addCertified(snapshot);
    return snapshot;
  }

  close(snapshot: Snapshot<V>, isCertified: boolean): void {
    if (isCertified && --snapshot.certified === 0) this.#removeCertified(snapshot);
    if (--snapshot.readers > 0) return;
    const { older, newer } = snapshot;
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.newest = older;
    else newer.older = older;
    snapshot.older = undefined;
    snapshot.newer = undefined;
    if (snapshot.superseded !== undefined) this.#passOnSuperseded(snapshot.superseded, older);
  }

  /** Whether no open snapshot is as new as `version`, the newest one of its key. */
  isUnseen(version: Version<V>): boolean {
    const newest = this.newest;
    return newest === undefined || newest.timestamp < version.timestamp;
  }

  /** Called when `version` has just been overwritten: keeps it while a snapshot sees it. */
  supersede(version: Version<V>): void {
    if (this.isUnseen(version)) {
      version.chain.unlink(version);
      return;
    }
    const newest = this.newest!;
    this.supersededCount++;
    newest.superseded ??= [];
    newest.superseded.push(version);
  }

  /** Forgets an absent key as soon as nobody who is certified later can tell. */
  retire(chain: VersionChain<V>): void {
    const newest = this.newestCertified;
    if (newest === undefined) {
      chain.retireAfter = undefined;
      this.#forget(chain);
    } else if (chain.retireAfter !== newest) {
      chain.retireAfter = newest;
      newest.absent ??= [];
      newest.absent.push(chain);
    }
  }

  #addCertified(snapshot: Snapshot<V>): void {
    const newest = this.newestCertified;
    snapshot.olderCertified = newest;
    if (newest === undefined) this.oldestCertified = snapshot;
    else newest.newerCertified = snapshot;
    this.newestCertified = snapshot;
  }

  #removeCertified(snapshot: Snapshot<V>): void {
    const { olderCertified, newerCertified, absent } = snapshot;
    if (olderCertified === undefined) this.oldestCertified = newerCertified;
    else olderCertified.newerCertified = newerCertified;
    if (newerCertified === undefined) this.newestCertified = olderCertified;
    else newerCertified.olderCertified = olderCertified;
    snapshot.olderCertified = undefined;
    snapshot.newerCertified = undefined;
    snapshot.absent = undefined;
    if (absent !== undefined) this.#passOnAbsent(snapshot, absent, olderCertified);
  }

  #passOnSuperseded(versions: Version<V>[], older: Snapshot<V> | undefined): void {
    for (const version of versions) {
      if (older !== undefined && older.timestamp >= version.timestamp) {
        older.superseded ??= [];
        older.superseded.push(version);
      } else {
        this.supersededCount--;
        const { chain } = version;
        chain.unlink(version);
        if (chain.retireAfter === undefined) this.#forget(chain);
      }
    }
  }

  #passOnAbsent(from: Snapshot<V>, chains: VersionChain<V>[], older: Snapshot<V> | undefined): void {
    for (const chain of chains) {
      // Retired again meanwhile, at a newer snapshot: that one will look after it.
      if (chain.retireAfter !== from) continue;
      chain.retireAfter = older;
      if (older === undefined) {
        this.#forget(chain);
      } else {
        older.absent ??= [];
        older.absent.push(chain);
      }
    }
  }

  /** Forgets `chain` if its key is absent and nobody needs to know. */
  #forget(chain: VersionChain<V>): void {
    const newest = chain.newest;
    const isNeeded = newest.value !== undefined || newest.older !== undefined || chain.pins > 0;
    if (isNeeded || chain.isForgotten) return;
    chain.isForgotten = true;
    this.#store.remove(chain);
  }
}
