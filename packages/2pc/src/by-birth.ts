/**
 * Stores by the birth of what is in them, a store for each span of births, so that a floor that rises lets go of whole stores and looks into one of them:
 * a table keeps every outcome for minutes, and its floor rises every few seconds.
 */
import type { Timestamp } from "./transaction-id.ts";

/** How many timestamps share a span. Any number serves; this is about a second of hybrid time in 1/2048 ms. */
const SPAN = 2 ** 21;

export interface BirthStore {
  readonly size: number;
  deleteUpTo(floor: Timestamp): void;
}

export class ByBirth<S extends BirthStore> {
  readonly #make: () => S;
  readonly #spans = new Map<number, S>();

  constructor(make: () => S) {
    this.#make = make;
  }

  /** How many things are kept. */
  get size(): number {
    let size = 0;
    for (const store of this.#spans.values()) size += store.size;
    return size;
  }

  /** The store of a birth, if there is one. */
  find(birth: Timestamp): S | undefined {
    return this.#spans.get(Math.floor(birth / SPAN));
  }

  /** The store of a birth. */
  obtain(birth: Timestamp): S {
    const span = Math.floor(birth / SPAN);
    let store = this.#spans.get(span);
    if (store === undefined) {
      store = this.#make();
      this.#spans.set(span, store);
    }
    return store;
  }

  /** Removes what was born at or below `floor`. */
  deleteUpTo(floor: Timestamp): void {
    const last = Math.floor(floor / SPAN);
    for (const [span, store] of this.#spans) {
      if (span === last) store.deleteUpTo(floor);
      if (span < last || store.size === 0) this.#spans.delete(span);
    }
  }

  /** The stores, births rising. */
  stores(): S[] {
    return [...this.#spans].sort(([a], [b]) => a - b).map(([, store]) => store);
  }
}
