/** A clock that passes by hand, and the timers on it. */
import type { Runtime } from "@khonsu/core";

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

export class ManualClock implements Pick<Runtime, "now" | "schedule"> {
  readonly #timers = new Set<Timer>();
  #now = 0;
  #scheduled = 0;

  /** Timers that were set until now. */
  get scheduled(): number {
    return this.#scheduled;
  }

  now(): number {
    return this.#now;
  }

  schedule(milliseconds: number, run: () => void): () => void {
    const timer = { at: this.#now + milliseconds, run };
    this.#scheduled++;
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass, and with it runs what is due, in order. */
  pass(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (let next = this.#first(); next !== undefined && next.at <= until; next = this.#first()) {
      this.#timers.delete(next);
      this.#now = next.at;
      next.run();
    }
    this.#now = until;
  }

  #first(): Timer | undefined {
    return [...this.#timers].sort((a, b) => a.at - b.at)[0];
  }
}
