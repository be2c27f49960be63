/** Read-only transactions that wait for a safe snapshot: each until the writers that were active when it came have ended. */

interface DeferredReader {
  readonly sequence: number;
  readonly settle: () => void;
}

export class DeferredReaders {
  #waiting: DeferredReader[] = [];

  /** Settles once all writers that began up to `sequence` have ended. */
  wait(sequence: number): Promise<void> {
    return new Promise((settle) => this.#waiting.push({ sequence, settle }));
  }

  /** Called when a writer has ended. `oldest` is the sequence of the oldest that is active, undefined where none is. */
  writerEnded(oldest: number | undefined): void {
    if (this.#waiting.length === 0) return;
    const isDue = (reader: DeferredReader) => oldest === undefined || reader.sequence < oldest;
    const due = this.#waiting.filter(isDue);
    this.#waiting = this.#waiting.filter((reader) => !isDue(reader));
    for (const reader of due) reader.settle();
  }
}
