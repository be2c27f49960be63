/**
 * Hybrid logical time (Kulkarni et al. 2014) in one safe integer: the upper part counts 1/2048 milliseconds since 1970 by the
 * node's clock, the lower part is what it takes to stay above everything seen. It holds until the year 2109. A wrong clock
 * costs retries and freshness; it never decides about data.
 */
import { type CommitTimestamp, TIMESTAMP_MAX } from "@khonsu/core/isolation";

const UNITS_PER_MILLISECOND = 2048;

/** How far ahead of the own clock a timestamp from elsewhere may be, in milliseconds. */
export const MAX_AHEAD_DEFAULT_MS = 10_000;

export class HybridClock {
  readonly #milliseconds: () => number;
  readonly #maxAhead: number;
  #last = 0;

  /**
   * @param milliseconds since 1970, by this node's clock; may be wrong and may jump.
   * @param maxAheadMs how far ahead of it a timestamp may be that comes from no log. Default: 10 s.
   */
  constructor(milliseconds: () => number, maxAheadMs = MAX_AHEAD_DEFAULT_MS) {
    this.#milliseconds = milliseconds;
    this.#maxAhead = maxAheadMs * UNITS_PER_MILLISECOND;
  }

  /** A timestamp above every one given or merged before. */
  next(): CommitTimestamp {
    this.#last = Math.min(Math.max(this.#last + 1, this.#physical()), TIMESTAMP_MAX);
    return this.#last as CommitTimestamp;
  }

  /** Whole milliseconds since 1970 by this node's clock, for clients that follow it; never negative. */
  milliseconds(): number {
    return Math.max(0, Math.floor(this.#milliseconds()));
  }

  /** The timestamp of a moment that many milliseconds ago, by this node's clock; 0 before 1970. */
  ago(milliseconds: number): CommitTimestamp {
    const units = this.#physical() - milliseconds * UNITS_PER_MILLISECOND;
    return Math.min(Math.max(0, units), TIMESTAMP_MAX) as CommitTimestamp;
  }

  /** That many milliseconds before the latest moment known here, by the node's clock or by what was merged. */
  before(milliseconds: number): CommitTimestamp {
    const units = milliseconds * UNITS_PER_MILLISECOND;
    return Math.max(this.#last - units, this.ago(milliseconds), 0) as CommitTimestamp;
  }

  /** Takes notice of a timestamp that is in a log, or was admitted. */
  merge(timestamp: CommitTimestamp): void {
    if (timestamp > this.#last) this.#last = timestamp;
  }

  /** Whether a timestamp that comes from no log may be used at a shard whose clock is at `clock`. */
  admits(timestamp: CommitTimestamp, clock: CommitTimestamp): boolean {
    return timestamp <= Math.max(clock, this.#physical() + this.#maxAhead);
  }

  #physical(): number {
    return Math.floor(this.#milliseconds() * UNITS_PER_MILLISECOND);
  }
}
