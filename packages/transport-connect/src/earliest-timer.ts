/**
 * One timer for many that may be late, set for the one that is first: nearly all are done long before, and a timer each would cost as much as
 * what it is for.
 */
import type { Runtime } from "@khonsu/core";

const NEVER = Number.POSITIVE_INFINITY;

export class EarliestTimer {
  readonly #runtime: Pick<Runtime, "now" | "schedule">;
  readonly #onDue: (now: number) => number;
  /** When it is set for; infinite while it is not. */
  #at = NEVER;
  #cancel = () => {};

  /** @param onDue sees to those that are late, and returns when the next of the others is; infinity if there is none */
  constructor(runtime: Pick<Runtime, "now" | "schedule">, onDue: (now: number) => number) {
    this.#runtime = runtime;
    this.#onDue = onDue;
  }

  /** Has it go off at `at`, by the clock of the runtime, or before. */
  setFor(at: number): void {
    if (at >= this.#at) return;
    this.#cancel();
    this.#at = at;
    this.#cancel = this.#runtime.schedule(Math.max(0, at - this.#runtime.now()), () => this.#run());
  }

  clear(): void {
    this.#cancel();
    this.#cancel = () => {};
    this.#at = NEVER;
  }

  #run(): void {
    this.clear();
    this.setFor(this.#onDue(this.#runtime.now()));
  }
}
