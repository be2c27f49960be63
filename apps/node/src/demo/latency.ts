/** How long commits took, in a histogram of fixed size (HdrHistogram: three significant digits over the whole range). */
import { build, type Histogram } from "hdr-histogram-js";

/** Milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export class LatencyRecorder {
  readonly #histogram: Histogram = build({ numberOfSignificantValueDigits: 3 });

  async time<R>(work: () => Promise<R>): Promise<R> {
    const started = performance.now();
    const result = await work();
    this.#histogram.recordValue(Math.max(1, Math.round((performance.now() - started) * 1000)));
    return result;
  }

  get summary(): Latency {
    const at = (percentile: number) => this.#histogram.getValueAtPercentile(percentile) / 1000;
    return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: at(100) };
  }
}
