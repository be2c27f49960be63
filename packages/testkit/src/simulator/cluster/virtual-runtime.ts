// Virtual time and seeded chance for code that awaits: the `Runtime` of stores and nodes under the simulator.

import type { Runtime } from "@khonsu/core";
import { SimulationFailure } from "../failure.ts";
import type { Prng } from "../prng.ts";
import { Scheduler } from "../scheduler.ts";

export class VirtualRuntime implements Runtime {
  readonly scheduler = new Scheduler();
  readonly choices: Prng;
  readonly #draws: Prng;

  constructor(choices: Prng) {
    this.choices = choices;
    this.#draws = choices.split("runtime");
  }

  now(): number {
    return this.scheduler.nowUs / 1000;
  }

  random(): number {
    return this.#draws.fraction();
  }

  schedule(milliseconds: number, run: () => void): () => void {
    const timer = this.scheduler.after(milliseconds * 1000, run);
    return () => timer.cancel();
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.scheduler.after(milliseconds * 1000, resolve));
  }

  /** Lets time go by until `promise` settles. @throws SimulationFailure of liveness after `limitMs`. */
  async settle<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let isSettled = false;
    const mark = () => {
      isSettled = true;
    };
    promise.then(mark, mark);
    const limitUs = this.scheduler.nowUs + limitMs * 1000;
    if (!(await this.scheduler.runUntilAsync(limitUs, () => isSettled)) && !isSettled) {
      throw new SimulationFailure(
        "liveness",
        "settles",
        `Nothing settled within ${limitMs} virtual milliseconds`,
      );
    }
    return promise;
  }

  /** Lets `milliseconds` go by. */
  async elapse(milliseconds: number): Promise<void> {
    await this.scheduler.runUntilAsync(this.scheduler.nowUs + milliseconds * 1000);
  }
}
