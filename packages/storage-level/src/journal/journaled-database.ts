/**
 * A LevelDB behind a journal. A batch is on the disk once the journal has it; only then LevelDB is given it, without a sync, while the
 * disk works on the next one. LevelDB so never has what the journal has not, and to give it all records of the journal again, in
 * order, ends at what was written last, whatever it had of them (SF-9).
 */
import type { LevelDatabase } from "../database.ts";
import type { Operation } from "../write-batch.ts";
import { JOURNAL_LIMITS, Journal, type JournalLimits } from "./journal.ts";
import { bytesOf } from "./journal-record.ts";
import type { JournalContents } from "./read-journal.ts";

/** Records are given to LevelDB again so many operations at a time. */
const REPLAYED_OPERATIONS = 1024;

type IteratorOptions = Parameters<LevelDatabase["iterator"]>[0];

const UNSYNCED = { sync: false };

/** The LevelDB itself. */
export interface Below {
  readonly database: LevelDatabase;
  /** Resolves once all that the database has is in its tables, which are on the disk. */
  readonly flush: () => Promise<void>;
}

export class JournaledDatabase implements LevelDatabase {
  readonly pristine: boolean;
  readonly isJournaled = true;
  readonly #below: Below;
  readonly #journal: Journal;
  readonly #limits: JournalLimits;
  /** In the journal, and not yet handed to LevelDB. */
  #pending: Operation[] | undefined = undefined;
  /** Resolves once LevelDB has all that it was handed. */
  #applied: Promise<void> = Promise.resolve();
  /** Batches that the journal has and LevelDB has not. */
  #behind = 0;
  #isApplicationDue = false;

  private constructor(below: Below, journal: Journal, limits: JournalLimits) {
    this.#below = below;
    this.#journal = journal;
    this.#limits = limits;
    this.pristine = below.database.pristine ?? true;
  }

  /** Puts a journal before a database that has none. */
  static async create(
    location: string,
    below: Below,
    limits: JournalLimits = JOURNAL_LIMITS,
  ): Promise<JournaledDatabase> {
    // What it has now, no journal covers.
    await below.flush();
    return new JournaledDatabase(below, await Journal.create(location, limits), limits);
  }

  /** Gives the database all that its journal has, and goes on with the journal. */
  static async resume(
    location: string,
    contents: JournalContents,
    below: Below,
    limits: JournalLimits = JOURNAL_LIMITS,
  ): Promise<JournaledDatabase> {
    await replay(contents, below.database);
    const journal = Journal.resume(location, contents, limits);
    await journal.clear(below.flush);
    return new JournaledDatabase(below, journal, limits);
  }

  /** The database by itself, its journal being empty. Only one that was just resumed. */
  async withoutJournal(): Promise<LevelDatabase> {
    await this.#journal.close();
    return { ...this.#below.database, isJournaled: true };
  }

  async batch(operations: Operation[]): Promise<void> {
    if (bytesOf(operations) > this.#limits.batchBytesMax) return this.#writeDirectly(operations);
    const written = this.#journal.append(operations, this.#settle);
    const applied = this.#apply();
    await written;
    await applied;
    this.#pending = operations;
    this.#behind++;
    if (this.#isApplicationDue) return;
    this.#isApplicationDue = true;
    // Not at once: whoever waits is told first, and may bring the next batch.
    setImmediate(() => {
      this.#isApplicationDue = false;
      void this.#apply();
    });
  }

  async getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    await this.#apply();
    return this.#below.database.getMany(keys);
  }

  iterator(options: IteratorOptions): AsyncIterable<[Uint8Array, Uint8Array]> {
    return this.#behind === 0 ? this.#below.database.iterator(options) : this.#iteratorOnceApplied(options);
  }

  /** The journal has what LevelDB may not have been given, or may have failed to take. */
  async close(): Promise<void> {
    await this.#apply().catch(() => {});
    await this.#journal.close();
    await this.#below.database.close();
  }

  /** The journal is emptied first: its records would be given again after what is written past it. */
  async #writeDirectly(operations: Operation[]): Promise<void> {
    await this.#journal.clear(this.#settle);
    await this.#below.database.batch(operations, { sync: true });
  }

  async *#iteratorOnceApplied(options: IteratorOptions): AsyncGenerator<[Uint8Array, Uint8Array]> {
    await this.#apply();
    yield* this.#below.database.iterator(options);
  }

  readonly #settle = async (): Promise<void> => {
    await this.#apply();
    await this.#below.flush();
  };

  /** Hands LevelDB what it does not have yet, one batch after the other. */
  #apply(): Promise<void> {
    const operations = this.#pending;
    if (operations === undefined) return this.#applied;
    this.#pending = undefined;
    this.#applied = this.#applied.then(() => this.#hand(operations));
    // The next batch fails with it; until then nobody waits.
    this.#applied.catch(() => {});
    return this.#applied;
  }

  async #hand(operations: Operation[]): Promise<void> {
    await this.#below.database.batch(operations, UNSYNCED);
    this.#behind--;
  }
}

async function replay({ records }: JournalContents, database: LevelDatabase): Promise<void> {
  let operations: Operation[] = [];
  for (const record of records) {
    operations.push(...record);
    if (operations.length < REPLAYED_OPERATIONS) continue;
    await database.batch(operations, UNSYNCED);
    operations = [];
  }
  if (operations.length > 0) await database.batch(operations, UNSYNCED);
}
