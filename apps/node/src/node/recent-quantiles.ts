/** Quantiles of durations over the last minute or so: two histograms take turns, so that what is old goes without being kept one by one. */
import { build, type Histogram } from "hdr-histogram-js";
import type { Quantiles } from "./node-status.ts";

const HALF_WINDOW_MS = 30_000;
/** Durations are counted in microseconds, up to this. */
const LONGEST_US = 600_000_000;

export class RecentQuantiles {
  readonly #now: () => number;
  #current = histogram();
  #previous = histogram();
  #turnedAt: number;

  /** @param now milliseconds from any origin. */
  constructor(now: () => number) {
    this.#now = now;
    this.#turnedAt = now();
  }

  record(milliseconds: number): void {
    this.#turn();
    this.#current.recordValue(Math.min(Math.max(0, Math.round(milliseconds * 1000)), LONGEST_US));
  }

  /** Null while there is nothing. */
  read(): Quantiles | null {
    this.#turn();
    const both = histogram();
    both.add(this.#previous);
    both.add(this.#current);
    if (both.totalCount === 0) return null;
    const at = (percentile: number): number => both.getValueAtPercentile(percentile) / 1000;
    return { p50: at(50), p95: at(95), p99: at(99), max: both.maxValue / 1000 };
  }

  #turn(): void {
    const age = this.#now() - this.#turnedAt;
    if (age < HALF_WINDOW_MS) return;
    this.#previous = age < 2 * HALF_WINDOW_MS ? this.#current : histogram();
    this.#current = histogram();
    this.#turnedAt = this.#now();
  }
}

function histogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_US,
    numberOfSignificantValueDigits: 2,
  });
}
