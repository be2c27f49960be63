/**
 * `Storage` on LevelDB. A group of commits is one synced write batch, so after a crash the contents are those of a prefix of
 * all groups (SF-6). The layout of the records is in `docs/spec/storage-format.md`.
 */
import type {
  CommitRecord,
  CommitTimestamp,
  LoadOptions,
  LoadProgress,
  Storage,
  StoredEntry,
} from "@khonsu/core";
import { KhonsuError } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";
import type { Contents } from "./contents.ts";
import { type LevelDatabase, openDatabase, readFailure } from "./database.ts";
import { corrupt, failed } from "./failures.ts";
import { type Format, JOURNALED_FORMAT, STORE_FORMAT, writeFormat } from "./format.ts";
import { foldGroup, type KeyChange } from "./group.ts";
import { parseSegmentKey, TAG } from "./key-codec.ts";
import type { Head } from "./record.ts";
import { SegmentMerger } from "./segment-merger.ts";
import { decodeSegment } from "./segment-reader.ts";
import { verify } from "./verify.ts";
import { WriteBatch } from "./write-batch.ts";

export interface LevelStorageOptions {
  /** The directory of the database; it is created if there is none. */
  readonly location: string;
  /**
   * Whether a write resolves only once the disk has it. Default: true. Without it a crash of the machine may take the
   * last commits with it, still a suffix of whole ones; a crash of the process takes none.
   */
  readonly sync?: boolean;
  /** Called now and then while the database is checked at open, and once at the end. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** Progress of a load is told after as many bytes. */
const PROGRESS_BYTES = 2 ** 20;

export class LevelStorage implements Storage {
  readonly #database: LevelDatabase;
  readonly #contents: Contents;
  readonly #merger: SegmentMerger;
  readonly #sync: boolean;
  #timestamp: number;
  #failure: KhonsuError | undefined;
  #closed = false;

  private constructor(database: LevelDatabase, contents: Contents, timestamp: number, sync: boolean) {
    this.#database = database;
    this.#contents = contents;
    this.#merger = new SegmentMerger(database, contents);
    this.#timestamp = timestamp;
    this.#sync = sync;
  }

  /**
   * Opens the database, which is checked from end to end first.
   *
   * @throws KhonsuError `KHONSU_STORAGE_LOCKED` if it is open already, here or in another process.
   * @throws KhonsuError `KHONSU_STORAGE_FORMAT` if it is not a Khonsu store, or of a version that this one does not read.
   * @throws KhonsuError `KHONSU_STORAGE_CORRUPT` if it is damaged; the message says which key or record, and why.
   * @throws KhonsuError `KHONSU_STORAGE_FAILED` if the disk does not let itself be read or written.
   * @example
   * const db = await Khonsu.open({ storage: await LevelStorage.open("./data") });
   */
  static async open(options: string | LevelStorageOptions): Promise<LevelStorage> {
    const settings = typeof options === "string" ? { location: options } : options;
    const journaled = settings.sync ?? true;
    return LevelStorage.over(await openDatabase(settings.location, { journaled }), settings);
  }

  /** Opens the storage on a database that is open, and which it closes; for other implementations of `abstract-level`. */
  static async over(
    database: LevelDatabase,
    options: Omit<LevelStorageOptions, "location"> = {},
  ): Promise<LevelStorage> {
    const sync = options.sync ?? true;
    try {
      const { contents, head, format } = await verify(database, options.onProgress);
      if (head === undefined && database.pristine === false) throw corrupt("all of its records are lost");
      const wanted = database.isJournaled === true ? JOURNALED_FORMAT : STORE_FORMAT;
      if (head === undefined || format !== wanted) await declare(database, wanted, head, contents, sync);
      return new LevelStorage(database, contents, head?.timestamp ?? 0, sync);
    } catch (error) {
      await database.close();
      throw readFailure(error);
    }
  }

  async write(commits: readonly CommitRecord[]): Promise<void> {
    this.#refuseClosed();
    if (this.#failure !== undefined) throw this.#failure;
    if (commits.length === 0) return;
    try {
      const batch = new WriteBatch();
      const changes = foldGroup(commits);
      if (this.#merger.isDue) await this.#mergeDue(changes, batch);
      this.#apply(commits, changes, batch);
      await this.#database.batch(batch.operations, { sync: this.#sync });
    } catch (error) {
      this.#failure = failed(
        "Cannot write commits; the storage takes no more until it is opened again",
        error,
      );
      throw this.#failure;
    }
  }

  async load(visit: (entry: StoredEntry) => void, options: LoadOptions = {}): Promise<CommitTimestamp> {
    this.#refuseClosed();
    const totalBytes = this.#contents.totals.bytes;
    let keys = 0;
    let bytes = 0;
    let told = 0;
    for await (const entry of this.#entries((count) => (bytes += count))) {
      visit(entry);
      keys++;
      if (bytes - told < PROGRESS_BYTES) continue;
      told = bytes;
      options.onProgress?.({ keys, bytes, totalBytes });
    }
    options.onProgress?.({ keys, bytes: totalBytes, totalBytes });
    return this.#timestamp as CommitTimestamp;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#database.close();
  }

  async #mergeDue(changes: ReadonlyMap<string, KeyChange>, batch: WriteBatch): Promise<void> {
    for (const { key, keep, rows, timestamp } of await this.#merger.take(changes))
      this.#merger.notice(key, this.#contents.replaceFrom(key, keep, [rows], timestamp, batch));
  }

  #apply(commits: readonly CommitRecord[], changes: ReadonlyMap<string, KeyChange>, batch: WriteBatch): void {
    for (const { timestamp } of commits) {
      if (timestamp <= this.#timestamp)
        throw new RangeError(`commit ${timestamp} comes after ${this.#timestamp}`);
      this.#timestamp = timestamp;
    }
    for (const [key, change] of changes) {
      if (change.kind === "delete") {
        this.#contents.delete(key, batch);
        continue;
      }
      const keep = change.kind === "append" ? this.#contents.segments(key).length : 0;
      if (change.kind === "append" && keep === 0) throw new RangeError(`an append to an absent key: ${key}`);
      const segments = this.#contents.replaceFrom(key, keep, change.chunks, change.timestamp, batch);
      this.#merger.notice(key, segments);
    }
    this.#contents.finish(this.#timestamp as CommitTimestamp, batch);
  }

  /** Every key with its rows, in the order of the keys. */
  async *#entries(onBytes: (bytes: number) => void): AsyncGenerator<StoredEntry> {
    let chunks: RecordBatch[] = [];
    try {
      for await (const [recordKey, value] of this.#database.iterator({ gte: Uint8Array.of(TAG.segment) })) {
        onBytes(value.byteLength);
        const { key, number } = parseSegmentKey(recordKey)!;
        const { header, batches } = decodeSegment(key, number, recordKey, value, this.#contents.schemas);
        chunks.push(...batches);
        if (number + 1 < this.#contents.segments(key).length) continue;
        yield { key, timestamp: header.timestamp as CommitTimestamp, chunks };
        chunks = [];
      }
    } catch (error) {
      throw readFailure(error);
    }
  }

  #refuseClosed(): void {
    if (this.#closed) throw new KhonsuError("KHONSU_STORE_CLOSED", "Cannot use the storage: it is closed");
  }
}

/** Begins a new database, or says of one that it has a journal from now on. */
async function declare(
  database: LevelDatabase,
  format: Format,
  head: Head | undefined,
  contents: Contents,
  sync: boolean,
): Promise<void> {
  const batch = new WriteBatch();
  writeFormat(format, batch);
  if (head === undefined) contents.finish(0 as CommitTimestamp, batch);
  await database.batch(batch.operations, { sync });
}
