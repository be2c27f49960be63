/**
 * Timers that are due within the same millisecond as one. The ticks of all groups of a node lie on one grid; with a timer each they came in
 * several turns of the event loop, with a wake-up and messages of their own, since a timer begins when its turn does and counts whole milliseconds.
 */
import type { Runtime } from "@khonsu/core";

/** What a sum of milliseconds may be off by, as a floating-point number. */
const ROUNDING_MS = 1e-6;

interface Due {
  readonly callbacks: Set<{ readonly run: () => void }>;
  cancel: () => void;
}

export class SharedTimers {
  readonly #runtime: Pick<Runtime, "now" | "schedule">;
  /** By the millisecond in which they are due. */
  readonly #due = new Map<number, Due>();

  constructor(runtime: Pick<Runtime, "now" | "schedule">) {
    this.#runtime = runtime;
  }

  /** Calls `run` once after `milliseconds`, or up to one sooner. @returns what cancels that */
  after(milliseconds: number, run: () => void): () => void {
    const at = Math.floor(this.#runtime.now() + milliseconds + ROUNDING_MS);
    const due = this.#due.get(at) ?? this.#schedule(at, milliseconds);
    const callback = { run };
    due.callbacks.add(callback);
    return () => {
      due.callbacks.delete(callback);
      if (due.callbacks.size === 0) this.#forget(at, due);
    };
  }

  #schedule(at: number, milliseconds: number): Due {
    const due: Due = { callbacks: new Set(), cancel: () => {} };
    this.#due.set(at, due);
    due.cancel = this.#runtime.schedule(milliseconds, () => {
      this.#forget(at, due);
      for (const { run } of due.callbacks) run();
    });
    return due;
  }

  #forget(at: number, due: Due): void {
    due.cancel();
    if (this.#due.get(at) === due) this.#due.delete(at);
  }
}
