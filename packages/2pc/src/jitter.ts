/**
 * Jitter: a generator whose whole state is one number, so that it is part of the state of whoever draws from it and equal
 * states give equal draws (mulberry32). Good enough to keep timers apart, and for nothing else.
 */
export class Jitter {
  #state: number;

  /** @param seed any number; different ones for coordinators that should not act in step */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from half of `ticks` to `ticks`, at least 1. */
  around(ticks: number): number {
    this.#state = (this.#state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    const fraction = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    return Math.max(1, Math.ceil(ticks / 2 + (fraction * ticks) / 2));
  }
}
