/**
 * `Consensus` without anybody to agree with: a log in LevelDB. A command is decided once its synced write has come back, and applied
 * then; all commands that come in meanwhile share the next write. Now and then the state of the application takes the place of
 * the commands before it, in one atomic batch.
 *
 * Invariants: entries are contiguous behind the checkpoint; nothing is applied or acknowledged before it is on disk; after a write
 * that failed nothing is acknowledged any more, since nobody knows what is on the disk.
 */
import type { Consensus, ConsensusStatus, LogApplication } from "@khonsu/cluster";
import type { Level } from "level";

export type LogDatabase = Level<string, Uint8Array>;

export interface SingleNodeLogOptions {
  readonly database: LogDatabase;
  /** Tells the logs in one database apart, such as by their shards. */
  readonly name: string;
  readonly application: LogApplication;
  /** The node that this is. */
  readonly self: number;
  /** After how many commands the application is saved. Default 1000. */
  readonly checkpointEntries?: number;
}

interface Proposal {
  readonly command: Uint8Array;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Operation =
  | { readonly type: "put"; readonly key: string; readonly value: Uint8Array }
  | { readonly type: "del"; readonly key: string };

const CHECKPOINT_ENTRIES = 1000;
/** Large enough for every safe integer, so that the order of keys is the order of entries. */
const DIGITS = 16;

export class SingleNodeLog implements Consensus {
  readonly #options: SingleNodeLogOptions;
  /** The index of the command that was applied last. */
  #applied = 0;
  /** The index that the checkpoint on disk stands for. */
  #checkpoint = 0;
  #waiting: Proposal[] = [];
  #writing: Promise<void> | undefined = undefined;
  #stopped: Error | undefined = undefined;

  private constructor(options: SingleNodeLogOptions) {
    this.#options = options;
  }

  /** Brings the application to where the log ends. */
  static async open(options: SingleNodeLogOptions): Promise<SingleNodeLog> {
    const log = new SingleNodeLog(options);
    await log.#load();
    return log;
  }

  propose(command: Uint8Array): Promise<unknown> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** What is decided is applied in the same turn, so there is nothing to wait for. */
  async readBarrier(): Promise<void> {
    if (this.#stopped !== undefined) throw this.#stopped;
  }

  status(): ConsensusStatus {
    const isLeader = this.#stopped === undefined;
    return { isLeader, leader: isLeader ? this.#options.self : undefined, applied: this.#applied };
  }

  /** Stops, after the write under way. Who waits for another one is refused. The database stays open. */
  async close(): Promise<void> {
    this.#stop(new Error("The log is closed"));
    await this.#writing;
  }

  async #load(): Promise<void> {
    const { database, application } = this.#options;
    for await (const [key, value] of database.iterator({
      gte: this.#key("checkpoint/"),
      lt: this.#key("checkpoint0"),
    })) {
      this.#checkpoint = indexIn(key);
      application.restore(value);
    }
    this.#applied = this.#checkpoint;
    for await (const [key, command] of database.iterator({
      gte: this.#key("entry/"),
      lt: this.#key("entry0"),
    })) {
      const index = indexIn(key);
      if (index !== this.#applied + 1) throw new Error(`Entry ${this.#applied + 1} of the log is missing`);
      application.apply(index, command);
      this.#applied = index;
    }
  }

  /** Writes as long as there is something to write; one write at a time. */
  async #write(): Promise<void> {
    // What is proposed in this turn goes into one write.
    await null;
    while (this.#waiting.length > 0 && this.#stopped === undefined) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#writeGroup(group);
      } catch (cause) {
        this.#stop(new Error("The log could not be written", { cause }));
        for (const { reject } of group) reject(this.#stopped!);
      }
    }
    this.#writing = undefined;
  }

  async #writeGroup(group: readonly Proposal[]): Promise<void> {
    const { database, application, checkpointEntries = CHECKPOINT_ENTRIES } = this.#options;
    const puts = group.map(
      ({ command }, at): Operation => ({
        type: "put",
        key: this.#key(entryKey(this.#applied + 1 + at)),
        value: command,
      }),
    );
    await database.batch(puts, { sync: true });
    for (const { command, resolve } of group) resolve(application.apply(++this.#applied, command));
    if (this.#applied - this.#checkpoint >= checkpointEntries) await this.#takeCheckpoint();
  }

  /** One batch: before it the entries count, after it the state. It need not be synced, since both say the same. */
  async #takeCheckpoint(): Promise<void> {
    const { database, application } = this.#options;
    const operations: Operation[] = [
      {
        type: "put",
        key: this.#key(checkpointKey(this.#applied)),
        value: Buffer.concat([...application.save()]),
      },
    ];
    if (this.#checkpoint > 0)
      operations.push({ type: "del", key: this.#key(checkpointKey(this.#checkpoint)) });
    for (let index = this.#checkpoint + 1; index <= this.#applied; index++) {
      operations.push({ type: "del", key: this.#key(entryKey(index)) });
    }
    await database.batch(operations);
    this.#checkpoint = this.#applied;
  }

  #stop(error: Error): void {
    this.#stopped ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#stopped);
  }

  #key(name: string): string {
    return `${this.#options.name}/${name}`;
  }
}

function entryKey(index: number): string {
  return `entry/${String(index).padStart(DIGITS, "0")}`;
}

function checkpointKey(index: number): string {
  return `checkpoint/${String(index).padStart(DIGITS, "0")}`;
}

function indexIn(key: string): number {
  return Number(key.slice(-DIGITS));
}
