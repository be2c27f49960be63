/** A clock, timers and randomness that tests drive by hand. */
import type { Runtime } from "../src/index.ts";

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

export class VirtualRuntime implements Runtime {
  #now = 0;
  readonly #timers = new Set<Timer>();
  readonly now = (): number => this.#now;

  get timers(): number {
    return this.#timers.size;
  }

  random(): number {
    return 0.5;
  }

  schedule(milliseconds: number, run: () => void): () => void {
    const timer = { at: this.#now + milliseconds, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves the clock, and runs the timers that are due, in order. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
    const due = [...this.#timers].filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at);
    for (const timer of due) if (this.#timers.delete(timer)) timer.run();
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
