/**
 * The reference implementation of `DecisionLog`, in memory. What it keeps survives `close`, as a file would: open the same
 * medium again to find it. A crash is taken by dropping the log without closing it.
 */
import type { DecisionLog } from "../decision-log.ts";

/** What outlives a log: the disk under it. */
export interface MemoryMedium {
  /** One line of JSON for each durable record. */
  lines: readonly string[];
}

export class MemoryDecisionLog<Record> implements DecisionLog<Record> {
  readonly #medium: MemoryMedium;
  #closed = false;

  constructor(medium: MemoryMedium = { lines: [] }) {
    this.#medium = medium;
  }

  async append(records: readonly Record[]): Promise<void> {
    this.#assertOpen();
    this.#medium.lines = [...this.#medium.lines, ...records.map((record) => JSON.stringify(record))];
  }

  async read(): Promise<readonly Record[]> {
    this.#assertOpen();
    return this.#medium.lines.map((line) => JSON.parse(line) as Record);
  }

  async replace(records: readonly Record[]): Promise<void> {
    this.#assertOpen();
    this.#medium.lines = records.map((record) => JSON.stringify(record));
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error("The log is closed");
  }
}
