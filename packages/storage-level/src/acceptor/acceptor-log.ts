/**
 * The consensus logs of a node: those of all its groups in one LevelDB, so that one synced write serves them all. The layout is in
 * `docs/spec/acceptor-log-format.md`.
 */
import type { AcceptorStorage } from "@khonsu/paxos";
import { type LevelDatabase, openDatabase, readFailure } from "../database.ts";
import { corrupt } from "../failures.ts";
import { checkFormat, type Format, writeFormat } from "../format.ts";
import { HEAD_KEY } from "../key-codec.ts";
import { decodeHead, encodeHead, type Head, unseal } from "../record.ts";
import { Totals } from "../totals.ts";
import { type Operation, WriteBatch } from "../write-batch.ts";
import { open } from "./envelope.ts";
import { addAll, GroupCommit } from "./group-commit.ts";
import { GroupLog } from "./group-log.ts";
import { LOG_TAG, rangeOf } from "./log-keys.ts";

export const LOG_FORMAT: Format = { format: "khonsu-acceptor-log", version: 2 };

export interface AcceptorLogOptions {
  /** Told how long each synced write took, in milliseconds; for metrics. Default: nobody. */
  readonly onSync?: ((milliseconds: number) => void) | undefined;
}

export class LevelAcceptorLog {
  readonly #database: LevelDatabase;
  readonly #totals: Totals;
  readonly #commit: GroupCommit;
  readonly #open = new Set<string>();
  #closing: Promise<void> | undefined;

  private constructor(
    database: LevelDatabase,
    totals: Totals,
    batches: number,
    { onSync }: AcceptorLogOptions,
  ) {
    this.#database = database;
    this.#totals = totals;
    this.#commit = new GroupCommit(database, totals, batches, onSync);
  }

  /**
   * Opens the logs in the directory `location`, which is created if there is none.
   *
   * @throws KhonsuError `KHONSU_STORAGE_LOCKED`, `KHONSU_STORAGE_FORMAT`, `KHONSU_STORAGE_CORRUPT`, `KHONSU_STORAGE_FAILED`, as
   *   `LevelStorage.open`. After `KHONSU_STORAGE_CORRUPT` the node joins its groups again under a new incarnation.
   * @example
   * const log = await LevelAcceptorLog.open("./consensus");
   * const storage = log.group("shard 7");
   */
  static async open(location: string, options: AcceptorLogOptions = {}): Promise<LevelAcceptorLog> {
    return LevelAcceptorLog.over(await openDatabase(location), options);
  }

  /** Opens the logs on a database that is open, and which it closes. */
  static async over(database: LevelDatabase, options: AcceptorLogOptions = {}): Promise<LevelAcceptorLog> {
    try {
      const totals = new Totals();
      const head = await verify(database, totals);
      if (head === undefined && database.pristine === false) throw corrupt("all of its records are lost");
      if (head === undefined) await create(database);
      return new LevelAcceptorLog(database, totals, head?.timestamp ?? 0, options);
    } catch (error) {
      await database.close();
      throw readFailure(error);
    }
  }

  /** The log of `group`, empty if it is new. One replica at a time uses it; it can be opened again once closed. */
  group(group: string): AcceptorStorage {
    this.#requireFree(group);
    this.#open.add(group);
    return new GroupLog(this.#database, group, this.#totals, this.#commit, () => this.#open.delete(group));
  }

  /** Deletes the log of `group`, which is not open: its replica was removed from the group for good. */
  async remove(group: string): Promise<void> {
    this.#requireFree(group);
    const operations: Operation[] = [];
    const removed: { checksum: number; bytes: number }[] = [];
    for (const tag of Object.values(LOG_TAG)) {
      for await (const [key, value] of this.#database.iterator(rangeOf(tag, group))) {
        const opened = open(key, value);
        if (opened === undefined) throw corrupt(`the record ${Buffer.from(key).toString("hex")} is damaged`);
        operations.push({ type: "del", key });
        removed.push({ checksum: opened.checksum, bytes: value.byteLength });
      }
    }
    // Only now, in one turn with the write: the totals are those of the batches handed over.
    for (const { checksum, bytes } of removed) this.#totals.remove(checksum, bytes);
    await this.#commit.write(addAll(operations));
  }

  /** Waits for writes under way, and closes the database. A second call is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #requireFree(group: string): void {
    if (this.#open.has(group))
      throw new TypeError(`Cannot use the log of group ${JSON.stringify(group)}: it is open`);
  }

  async #close(): Promise<void> {
    await this.#commit.idle();
    await this.#database.close();
  }
}

/** Checks that every header holds and that all records add up to what the head says (AL-2, AL-3). */
async function verify(database: LevelDatabase, totals: Totals): Promise<Head | undefined> {
  let head: Head | undefined;
  let first = true;
  for await (const [key, value] of database.iterator({})) {
    if (first) checkFormat(key, value, LOG_FORMAT);
    else if (Buffer.compare(key, HEAD_KEY) === 0)
      head = unseal(key, value) === undefined ? undefined : decodeHead(value);
    else {
      const opened = open(key, value);
      if (opened === undefined) throw corrupt(`the record ${Buffer.from(key).toString("hex")} is damaged`);
      totals.add(opened.checksum, value.byteLength);
    }
    first = false;
  }
  if (first) return undefined;
  if (head === undefined) throw corrupt("the head record is missing or damaged");
  if (head.records !== totals.records || head.bytes !== totals.bytes || head.digest !== totals.digest) {
    throw corrupt(
      `its records do not add up to those of its last write: ${totals.records} of ${head.records} are there`,
    );
  }
  return head;
}

async function create(database: LevelDatabase): Promise<void> {
  const batch = new WriteBatch();
  writeFormat(LOG_FORMAT, batch);
  batch.put(HEAD_KEY, encodeHead(HEAD_KEY, { timestamp: 0, records: 0, bytes: 0, digest: 0 }));
  await database.batch(batch.operations, { sync: true });
}
