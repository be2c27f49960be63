/**
 * Deadlines that all come equally late: one timer for all of them, since as a rule what they are for is done long before, by the thousand a
 * second.
 */
import type { Runtime } from "@khonsu/core";

/** How much of the list may be used up before it moves to the front. */
const USED_MAX = 1024;

/** No timer is shorter, in milliseconds. */
const STEP_MS = 1;

interface Deadline {
  /** By the clock of the runtime. */
  readonly at: number;
  /** Undefined: not needed any more. */
  onDue: (() => void) | undefined;
}

export class Deadlines {
  readonly #runtime: Runtime;
  readonly #milliseconds: number;
  /** In the order in which they are due. */
  readonly #list: Deadline[] = [];
  #next = 0;
  #isScheduled = false;

  /** @param milliseconds how late each deadline is */
  constructor(runtime: Runtime, milliseconds: number) {
    this.#runtime = runtime;
    this.#milliseconds = milliseconds;
  }

  /**
   * Calls `onDue` when the time is up.
   *
   * @returns what `cancel` needs
   */
  add(onDue: () => void): Deadline {
    const deadline = { at: this.#runtime.now() + this.#milliseconds, onDue };
    this.#list.push(deadline);
    if (!this.#isScheduled) this.#schedule(this.#milliseconds);
    return deadline;
  }

  cancel(deadline: Deadline): void {
    deadline.onDue = undefined;
  }

  #schedule(milliseconds: number): void {
    this.#isScheduled = true;
    this.#runtime.schedule(milliseconds, () => {
      this.#isScheduled = false;
      this.#run();
    });
  }

  #run(): void {
    const now = this.#runtime.now();
    for (; ; this.#next++) {
      const deadline = this.#list[this.#next];
      if (deadline === undefined) break;
      const { onDue } = deadline;
      if (onDue === undefined) continue;
      if (deadline.at > now) {
        // A timer for less than a clock can tell would go off again and again, with no time going by.
        this.#schedule(Math.max(STEP_MS, deadline.at - now));
        break;
      }
      deadline.onDue = undefined;
      onDue();
    }
    if (this.#next < USED_MAX && this.#next < this.#list.length) return;
    this.#list.splice(0, this.#next);
    this.#next = 0;
  }
}
