/** Virtual time under a seed: timers fire in order, as soon as everything that is ready has run. */
import type { Runtime } from "@khonsu/core";
import { Random } from "../model/random.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

export class VirtualRuntime implements Runtime {
  readonly choices: Random;
  #now = 0;
  #order = 0;
  #timers: Timer[] = [];

  constructor(seed: number) {
    this.choices = new Random(seed);
  }

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.choices.next() / 2 ** 32;
  }

  schedule(milliseconds: number, run: () => void): () => void {
    const timer: Timer = { at: this.#now + milliseconds, order: this.#order++, run, isCancelled: false };
    this.#timers.push(timer);
    return () => {
      timer.isCancelled = true;
    };
  }

  /** Lets time go by until `promise` settles. Fails after a virtual minute, or `limitMs`. */
  async settle<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let isSettled = false;
    const mark = () => {
      isSettled = true;
    };
    promise.then(mark, mark);
    const deadline = this.#now + limitMs;
    await drain();
    while (!isSettled) {
      if (!this.#step(deadline)) throw new Error(`Nothing settled within ${limitMs} virtual milliseconds`);
      await drain();
    }
    return promise;
  }

  /** Lets `milliseconds` go by. */
  async elapse(milliseconds: number): Promise<void> {
    const deadline = this.#now + milliseconds;
    await drain();
    while (this.#step(deadline)) await drain();
    this.#now = deadline;
  }

  /** Fires the next timer, if it is due by `deadline`. */
  #step(deadline: number): boolean {
    this.#timers = this.#timers.filter((timer) => !timer.isCancelled);
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order))
        next = timer;
    }
    if (next === undefined || next.at > deadline) return false;
    this.#timers.splice(this.#timers.indexOf(next), 1);
    this.#now = Math.max(this.#now, next.at);
    next.run();
    return true;
  }
}

/** Everything that is ready runs: promises, and what they lead to. */
function drain(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
