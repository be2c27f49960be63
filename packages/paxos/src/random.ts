/** A small seeded generator for the jitter of elections (mulberry32): part of the state, so equal inputs give equal outputs. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = (seed ^ (seed / 0x100000000)) | 0;
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
}
