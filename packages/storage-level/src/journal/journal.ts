/**
 * The journal before LevelDB: write batches as records, each on the disk before it is handed to LevelDB, in two files that take turns. A
 * file is begun anew only once all that it held is in LevelDB's tables (SF-9), so the records of both files together are
 * all that LevelDB may have lost in a crash.
 */

import type { Operation } from "../write-batch.ts";
import { syncDirectory } from "./durable-file.ts";
import { FILE_HEADER_BYTES, JournalFile, pathOf } from "./journal-file.ts";
import { bytesOf, encodeRecord } from "./journal-record.ts";
import type { JournalContents } from "./read-journal.ts";

/** Sizes, in bytes. */
export interface JournalLimits {
  /** The other file's turn comes when a record does not fit below this. Default: 8 MiB. */
  readonly fileBytesMax: number;
  /** Larger batches go into LevelDB's own log: to write them twice would take longer than the sync that it saves. Default: 1 MiB. */
  readonly batchBytesMax: number;
}

export const JOURNAL_LIMITS: JournalLimits = { fileBytesMax: 2 ** 23, batchBytesMax: 2 ** 20 };

/** Resolves once all batches whose `append` has resolved are in LevelDB's tables, on the disk. */
export type Settle = () => Promise<void>;

export class Journal {
  readonly #files: readonly [JournalFile, JournalFile];
  readonly #limits: JournalLimits;
  #current: JournalFile;
  /** The number of the next record. */
  #next: number;
  /** Resolves once all records below the first of the current file are in LevelDB's tables. */
  #settling: Promise<void> = Promise.resolve();

  private constructor(
    files: readonly [JournalFile, JournalFile],
    newest: 0 | 1,
    next: number,
    limits: JournalLimits,
  ) {
    this.#files = files;
    this.#current = files[newest];
    this.#next = next;
    this.#limits = limits;
  }

  /** A journal of a database that has none: two files without a record, which are on the disk when this resolves. */
  static async create(location: string, limits: JournalLimits): Promise<Journal> {
    const none = { first: 0, settled: 0, salt: 0 };
    const files = [
      new JournalFile(pathOf(location, 0), none),
      new JournalFile(pathOf(location, 1), none),
    ] as const;
    await files[0].begin(0, 0);
    await files[1].begin(1, 1);
    await syncDirectory(location);
    return new Journal(files, 1, 1, limits);
  }

  /** The journal that `contents` was read from. Records are appended only once it was cleared. */
  static resume(
    location: string,
    { headers, newest, next }: JournalContents,
    limits: JournalLimits,
  ): Journal {
    const files = [
      new JournalFile(pathOf(location, 0), headers[0]),
      new JournalFile(pathOf(location, 1), headers[1]),
    ] as const;
    return new Journal(files, newest, next, limits);
  }

  /** Whether it has no record that LevelDB may have lost. */
  get isEmpty(): boolean {
    return this.#current.header.settled === this.#next;
  }

  /** Writes `operations` as the next record; one call at a time. It is on the disk when this resolves. */
  append(operations: readonly Operation[], settle: Settle): Promise<void> {
    const bytes = bytesOf(operations);
    const { end } = this.#current;
    if (end === FILE_HEADER_BYTES || end + bytes <= this.#limits.fileBytesMax)
      return this.#write(operations, bytes);
    return this.#turn(settle).then(() => this.#write(operations, bytes));
  }

  /** Resolves once it is empty: LevelDB has all of it for good. */
  async clear(settle: Settle): Promise<void> {
    if (this.isEmpty) return;
    await this.#settling;
    await settle();
    await this.#begin(this.#next);
  }

  async close(): Promise<void> {
    await this.#settling.catch(() => {});
    for (const file of this.#files) await file.close();
  }

  #write(operations: readonly Operation[], bytes: number): Promise<void> {
    return this.#current.append(encodeRecord(operations, bytes, this.#next++, this.#current.header.salt));
  }

  /** Goes on in the other file, and has LevelDB settle what is in this one meanwhile. */
  async #turn(settle: Settle): Promise<void> {
    await this.#settling;
    await this.#begin(this.#current.header.first);
    this.#settling = settle();
    // Whoever needs it settled is told.
    this.#settling.catch(() => {});
  }

  async #begin(settled: number): Promise<void> {
    const other = this.#files[this.#current === this.#files[0] ? 1 : 0];
    await other.begin(this.#next, settled);
    this.#current = other;
  }
}
