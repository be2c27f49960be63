/**
 * Where the version chains are kept. The interface is all that the transaction logic knows of it, so that another store
 * (shared between threads, on a log) can take its place.
 */
import { type KeyCursor, OrderedKeys } from "./ordered-keys.ts";
import { type Version, VersionChain } from "./version-chain.ts";

export interface VersionStore<V> {
  /** How many keys have a chain, absent ones that are still relied on included. */
  readonly size: number;
  /** The newest version of `key`. Point reads need no more: its chain is in other lines of the processor's cache. */
  find(key: string): Version<V> | undefined;
  /** The chain of `key`; an absent key gets one whose newest version has timestamp 0 and no value. */
  obtain(key: string): VersionChain<V>;
  /** Makes `version` the newest of its chain, which the store has; nothing else sets `VersionChain.newest`. */
  install(version: Version<V>): void;
  /** Forgets an absent key. The chain has one version, without a value, and `isForgotten` is set. */
  remove(chain: VersionChain<V>): void;
  /** The chains with keys at or above `from`, rising; stays right when chains come and go meanwhile. */
  ascend(from: string): KeyCursor<V>;
  /** The chains with keys below `from` (all, where it is undefined), falling. */
  descend(from: string | undefined): KeyCursor<V>;
}

const FORGOTTEN_MAX = 1024;

/**
 * The default: a hash map for points and ordered blocks for ranges.
 *
 * A forgotten key keeps its place in the map for a while. A key that comes and goes (a queue's slot, a lock) would
 * otherwise leave a hole in the map's bucket each time, and every look-up of it would walk over all of them.
 */
export class MemoryVersionStore<V> implements VersionStore<V> {
  readonly #newest = new Map<string, Version<V>>();
  readonly #ordered = new OrderedKeys<V>();
  /** A ring of the chains forgotten last. */
  readonly #forgotten: VersionChain<V>[] = [];
  #forgottenNext = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  find(key: string): Version<V> | undefined {
    const newest = this.#newest.get(key);
    if (newest === undefined || (newest.value === undefined && newest.chain.isForgotten)) return undefined;
    return newest;
  }

  obtain(key: string): VersionChain<V> {
    const known = this.find(key);
    if (known !== undefined) return known.chain;
    const chain = new VersionChain<V>(key);
    this.#newest.set(key, chain.newest);
    this.#ordered.insert(chain);
    this.#size++;
    return chain;
  }

  install(version: Version<V>): void {
    this.#newest.set(version.key, version);
    version.chain.newest = version;
  }

  remove(chain: VersionChain<V>): void {
    this.#ordered.remove(chain.key);
    this.#size--;
    const evicted = this.#forgotten[this.#forgottenNext];
    if (evicted !== undefined && this.#newest.get(evicted.key) === evicted.newest)
      this.#newest.delete(evicted.key);
    this.#forgotten[this.#forgottenNext] = chain;
    this.#forgottenNext = (this.#forgottenNext + 1) % FORGOTTEN_MAX;
  }

  ascend(from: string): KeyCursor<V> {
    return this.#ordered.ascend(from);
  }

  descend(from: string | undefined): KeyCursor<V> {
    return this.#ordered.descend(from);
  }
}
