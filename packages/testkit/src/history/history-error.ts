// A history that cannot be read or judged: which file, which line, what was wrong there.

/** Thrown for input that is not a history. Code `KHONSU_HISTORY_INVALID`; never retryable. */
export class HistoryError extends Error {
  readonly code = "KHONSU_HISTORY_INVALID";
  readonly retryable = false;
  /** File name, or what else the caller called the input. */
  readonly source: string | undefined;
  /** Line of the input, from 1. */
  readonly line: number | undefined;

  constructor(problem: string, place: { source?: string | undefined; line?: number | undefined } = {}) {
    const at = [place.source, place.line].filter((part) => part !== undefined).join(":");
    super(at === "" ? problem : `${at}: ${problem}`);
    this.name = "HistoryError";
    this.source = place.source;
    this.line = place.line;
  }
}
