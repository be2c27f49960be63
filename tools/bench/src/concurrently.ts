/** Callers side by side, each of which begins its next operation when the last has been acknowledged. */
import type { Prepared } from "./compare.ts";

/** Divides operations among `callers`; the latency of each is measured. */
export function concurrently(callers: number, operation: () => Promise<unknown>): Prepared["run"] {
  return async (operations, latencies) => {
    let left = operations;
    const caller = async () => {
      while (left > 0) {
        left--;
        const started = performance.now();
        await operation();
        latencies.push((performance.now() - started) * 1000);
      }
    };
    await Promise.all(Array.from({ length: Math.min(callers, operations) }, caller));
  };
}
