// The clock that one node reads: virtual time seen through an offset (skew), a wrong rate (drift) and jumps. Safety must not rest on
// it, so it may say anything; timers of a node run at its own rate.

import type { Scheduler } from "./scheduler.ts";

/** A node's view of time. */
export class NodeClock {
  readonly #scheduler: Scheduler;
  #originUs = 0;
  #localOriginUs: number;
  #rate: number;

  /**
   * @param skewUs how far the clock is ahead at the start, in microseconds
   * @param driftPpm how much faster than real time it runs, in parts per million
   */
  constructor(scheduler: Scheduler, skewUs = 0, driftPpm = 0) {
    this.#scheduler = scheduler;
    this.#originUs = scheduler.nowUs;
    this.#localOriginUs = scheduler.nowUs + skewUs;
    this.#rate = rateOf(driftPpm);
  }

  /** What the node believes the time to be, in microseconds. May go back after a jump. */
  get nowUs(): number {
    return this.#localOriginUs + (this.#scheduler.nowUs - this.#originUs) * this.#rate;
  }

  /** Moves the clock by `byUs`, back if negative; running timers are not affected, as with a monotonic timer. */
  jump(byUs: number): void {
    this.#localOriginUs += byUs;
  }

  /** Changes the rate from now on. */
  drift(driftPpm: number): void {
    this.#localOriginUs = this.nowUs;
    this.#originUs = this.#scheduler.nowUs;
    this.#rate = rateOf(driftPpm);
  }

  /** How long `localUs` on this clock takes in virtual time. */
  duration(localUs: number): number {
    return localUs / this.#rate;
  }
}

function rateOf(driftPpm: number): number {
  if (!(driftPpm > -1_000_000))
    throw new RangeError(`Cannot set a clock to run back: drift is ${driftPpm} ppm`);
  return 1 + driftPpm / 1_000_000;
}
