/**
 * Callers of a workload side by side, each of which draws and runs its next transaction when the last has been acknowledged. All that
 * are ready begin in one turn of the event loop, as requests that came in together, and interleave by their promises. Without
 * turns, who waits for a timer before it tries again would wait until all others are done with all they have to do.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Prng } from "@khonsu/testkit/simulator";
import type { Prepared } from "../compare.ts";

/** @param run what a caller does with what was drawn */
export function callers<U>(
  workload: { next(random: Prng, caller: number): U },
  count: number,
  run: (unit: U, caller: number) => Promise<unknown>,
): Prepared["run"] {
  const streams = Array.from({ length: count }, (_, caller) => new Prng("callers").split(caller));
  const turns = new Turns();
  return async (operations, latencies) => {
    let left = operations;
    const calls = async (random: Prng, caller: number) => {
      while (left > 0) {
        left--;
        await turns.next();
        const unit = workload.next(random, caller);
        const started = performance.now();
        await run(unit, caller);
        latencies.push((performance.now() - started) * 1000);
      }
    };
    await Promise.all(streams.map(calls));
  };
}

/** All who wait for the next turn go on together in it. */
class Turns {
  #coming: Promise<void> | undefined = undefined;

  next(): Promise<void> {
    this.#coming ??= nextTurn().then(() => {
      this.#coming = undefined;
    });
    return this.#coming;
  }
}
