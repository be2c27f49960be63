// What happened in a run, line by line. Two runs of one seed must have equal traces, compared by a digest of all lines; a failure
// prints the last lines. Lines are built only when they are wanted, because most runs pass and nobody reads them.

import type { NodeName } from "./network.ts";

export interface TraceOptions {
  /** How many of the last lines to keep. 0 keeps none and builds none. */
  readonly linesMax: number;
}

export class Trace {
  readonly #linesMax: number;
  #lines: string[] = [];
  #dropped = 0;
  #high = 0x811c9dc5;
  #low = 0x9e3779b9;

  constructor(options: TraceOptions) {
    this.#linesMax = options.linesMax;
  }

  /** Whether lines are kept; a caller may skip building their parts when not. */
  get isOn(): boolean {
    return this.#linesMax > 0;
  }

  /** Adds a line: the time, the node that it happened at, and what. */
  add(nowUs: number, node: NodeName | undefined, text: string | (() => string)): void {
    if (this.#linesMax === 0) return;
    const line = `${formatTime(nowUs)} ${String(node ?? "-").padEnd(3)} ${typeof text === "string" ? text : text()}`;
    this.#digest(line);
    this.#lines.push(line);
    if (this.#lines.length >= 2 * this.#linesMax) {
      this.#dropped += this.#lines.length - this.#linesMax;
      this.#lines = this.#lines.slice(-this.#linesMax);
    }
  }

  /** The last lines, at most `linesMax`. */
  get lines(): readonly string[] {
    return this.#lines.slice(-this.#linesMax);
  }

  /** How many lines came before `lines`. */
  get droppedLines(): number {
    return this.#dropped + Math.max(0, this.#lines.length - this.#linesMax);
  }

  /** A digest of all lines, those dropped included. */
  get digest(): string {
    return [this.#high, this.#low].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #digest(line: string): void {
    for (let index = 0; index < line.length; index += 1) {
      const unit = line.charCodeAt(index);
      this.#high = Math.imul(this.#high ^ unit, 0x01000193);
      this.#low = (Math.imul(this.#low ^ unit, 0x5bd1e995) + this.#high) | 0;
    }
  }
}

function formatTime(nowUs: number): string {
  return (nowUs / 1_000).toFixed(3).padStart(10);
}
