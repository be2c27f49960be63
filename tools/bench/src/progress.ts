/** A progress bar on standard error while a suite runs; where that is not a terminal, a plain line now and then. */
import { SingleBar } from "cli-progress";

export interface Progress {
  /** Adds to the number of steps to come. */
  plan(steps: number): void;
  step(what: string): void;
  note(line: string): void;
}

/** Between two plain lines, in milliseconds. */
const LINE_MS = 10_000;

export class BarProgress implements Progress, Disposable {
  readonly #bar = new SingleBar({
    format: "{bar} {percentage}% | {what}",
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
  });
  readonly #isTerminal = process.stderr.isTTY === true;
  #total = 0;
  #done = 0;
  #lineAt = performance.now();

  plan(steps: number): void {
    this.#total += steps;
    if (!this.#isTerminal) return;
    if (this.#bar.isActive) this.#bar.setTotal(this.#total);
    else this.#bar.start(this.#total, 0, { what: "" });
  }

  step(what: string): void {
    this.#done++;
    if (this.#isTerminal) this.#bar.increment(1, { what });
    else if (performance.now() - this.#lineAt >= LINE_MS) {
      this.#lineAt = performance.now();
      this.note(`${this.#done} of ${this.#total} | ${what}`);
    }
  }

  note(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  [Symbol.dispose](): void {
    if (this.#bar.isActive) this.#bar.stop();
  }
}

/** Says nothing; for tests. */
export const silent: Progress = { plan: () => {}, step: () => {}, note: () => {} };
