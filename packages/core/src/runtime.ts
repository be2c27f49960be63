/** The clock, the timers and the randomness of a store, so that a test can run it under virtual time and a seed. */

export interface Runtime {
  /** Milliseconds since any moment; never goes back. */
  now(): number;
  /** A number from 0 (included) to 1 (excluded). */
  random(): number;
  /** Calls `run` once after `milliseconds`, unless the function that it returns is called before. */
  schedule(milliseconds: number, run: () => void): () => void;
}

/** A longer timer of the platform goes off at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** The machine's own clock, timers and randomness. */
export const systemRuntime: Runtime = {
  now: () => performance.now(),
  random: Math.random,
  schedule: (milliseconds, run) => {
    let timer: ReturnType<typeof setTimeout>;
    const wait = (left: number) => {
      const step = Math.min(left, TIMER_MAX_MS);
      timer = setTimeout(() => (left > step ? wait(left - step) : run()), step);
    };
    wait(milliseconds);
    return () => clearTimeout(timer);
  },
};
