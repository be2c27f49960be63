/**
 * Keys by the birth of their transactions, in spans, so that a floor that rises finds what it passes without looking at the rest:
 * a table keeps every outcome for minutes, and its floor rises every few seconds.
 */
import type { Timestamp } from "./transaction-id.ts";

/** How many timestamps share a span. Any number serves; this is about a second of hybrid time in 1/2048 ms. */
const SPAN = 2 ** 21;

export class BirthIndex {
  readonly #spans = new Map<number, Map<string, Timestamp>>();

  add(key: string, birth: Timestamp): void {
    const span = Math.floor(birth / SPAN);
    const keys = this.#spans.get(span);
    if (keys === undefined) this.#spans.set(span, new Map([[key, birth]]));
    else keys.set(key, birth);
  }

  delete(key: string, birth: Timestamp): void {
    const span = Math.floor(birth / SPAN);
    const keys = this.#spans.get(span);
    if (keys?.delete(key) === true && keys.size === 0) this.#spans.delete(span);
  }

  /** Removes and returns the keys of births at or below `floor`. */
  takeUpTo(floor: Timestamp): string[] {
    const taken: string[] = [];
    const last = Math.floor(floor / SPAN);
    for (const [span, keys] of this.#spans) {
      if (span > last) continue;
      for (const [key, birth] of keys) {
        if (birth > floor) continue;
        taken.push(key);
        keys.delete(key);
      }
      if (keys.size === 0) this.#spans.delete(span);
    }
    return taken;
  }
}
