/**
 * Where the version chains are kept. The interface is all that the transaction logic knows of it, so that another store
 * (shared between threads, on a log) can take its place.
 */
import { type KeyCursor, OrderedKeys } from "./ordered-keys.ts";
import { VersionChain } from "./version-chain.ts";

export interface VersionStore<V> {
  /** How many keys have a chain, absent ones that are still relied on included. */
  readonly size: number;
  find(key: string): VersionChain<V> | undefined;
  /** The chain of `key`; an absent key gets one whose newest version has timestamp 0 and no value. */
  obtain(key: string): VersionChain<V>;
  /** Forgets an absent key. The chain has one version, without a value. */
  remove(chain: VersionChain<V>): void;
  /** The chains with keys at or above `from`, rising; stays right when chains come and go meanwhile. */
  ascend(from: string): KeyCursor<V>;
  /** The chains with keys below `from` (all, where it is undefined), falling. */
  descend(from: string | undefined): KeyCursor<V>;
}

/** The default: a hash map for points and ordered blocks for ranges. */
export class MemoryVersionStore<V> implements VersionStore<V> {
  readonly #chains = new Map<string, VersionChain<V>>();
  readonly #ordered = new OrderedKeys<V>();

  get size(): number {
    return this.#chains.size;
  }

  find(key: string): VersionChain<V> | undefined {
    return this.#chains.get(key);
  }

  obtain(key: string): VersionChain<V> {
    let chain = this.#chains.get(key);
    if (chain === undefined) {
      chain = new VersionChain<V>(key);
      this.#chains.set(key, chain);
      this.#ordered.insert(chain);
    }
    return chain;
  }

  remove(chain: VersionChain<V>): void {
    this.#chains.delete(chain.key);
    this.#ordered.remove(chain.key);
  }

  ascend(from: string): KeyCursor<V> {
    return this.#ordered.ascend(from);
  }

  descend(from: string | undefined): KeyCursor<V> {
    return this.#ordered.descend(from);
  }
}
