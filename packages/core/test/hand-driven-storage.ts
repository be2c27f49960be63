/** A storage whose writes end, well or badly, when a test says so. */
import type { CommitRecord, Storage } from "../src/index.ts";

interface Write {
  readonly commits: readonly CommitRecord[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class HandDrivenStorage implements Storage {
  /** Every group that was handed over, as timestamps. */
  readonly groups: number[][] = [];
  #pending: Write | undefined = undefined;
  isClosed = false;

  /** Whether a group waits to be written. */
  get isWriting(): boolean {
    return this.#pending !== undefined;
  }

  write(commits: readonly CommitRecord[]): Promise<void> {
    if (this.#pending !== undefined) throw new Error("A write came before the last one ended");
    if (this.isClosed) throw new Error("A write came after close");
    this.groups.push(commits.map(({ timestamp }) => timestamp));
    return new Promise((resolve, reject) => {
      this.#pending = { commits, resolve, reject };
    });
  }

  /** Ends the write under way; what was handed over is on disk. */
  complete(): void {
    this.#take().resolve();
  }

  fail(error: Error): void {
    this.#take().reject(error);
  }

  close(): void {
    this.isClosed = true;
  }

  #take(): Write {
    const write = this.#pending;
    if (write === undefined) throw new Error("No write is under way");
    this.#pending = undefined;
    return write;
  }
}
