import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Consensus, LogApplication } from "@khonsu/cluster";
import { type ConsensusGroup, consensusSuite } from "@khonsu/testkit/consensus-suite";
import { Level } from "level";
import { expect, test } from "vitest";
import { type LogDatabase, SingleNodeLog } from "../src/single-node-log.ts";

const openDatabase = async (directory: string): Promise<LogDatabase> => {
  const database: LogDatabase = new Level(directory, { keyEncoding: "utf8", valueEncoding: "view" });
  await database.open();
  return database;
};

class OneReplica implements ConsensusGroup {
  readonly replicas = [1];
  readonly #directory: string;
  #database: LogDatabase | undefined;
  #log: SingleNodeLog | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async open(self: number, application: LogApplication): Promise<Consensus> {
    const database = await openDatabase(this.#directory);
    this.#database = database;
    this.#log = await SingleNodeLog.open({ database, name: "log", application, self, checkpointEntries: 50 });
    return this.#log;
  }

  /** The write under way may still come to the disk, as it may in a kill. */
  async crash(): Promise<void> {
    await this.#log?.close();
    await this.#database?.close();
  }

  async dispose(): Promise<void> {
    await this.crash();
    await rm(this.#directory, { recursive: true });
  }
}

consensusSuite({ test, factory: async () => new OneReplica(await mkdtemp(join(tmpdir(), "log-"))) });

test("a log that cannot be written stops, and says so to all who wait", async () => {
  const directory = await mkdtemp(join(tmpdir(), "log-"));
  const database = await openDatabase(directory);
  const application: LogApplication = {
    apply: () => "applied",
    save: () => [],
    restore: () => {},
  };
  const log = await SingleNodeLog.open({ database, name: "log", application, self: 1 });
  expect(await log.propose(Uint8Array.of(1))).toBe("applied");
  await database.close();
  const proposed = [2, 3].map((byte) => log.propose(Uint8Array.of(byte)));
  for (const each of proposed) await expect(each).rejects.toThrow("could not be written");
  await expect(log.propose(Uint8Array.of(4))).rejects.toThrow("could not be written");
  await expect(log.readBarrier()).rejects.toThrow("could not be written");
  expect(log.status()).toEqual({ isLeader: false, leader: undefined, applied: 1 });
  await rm(directory, { recursive: true });
});

test("a log with a hole is not opened", async () => {
  const directory = await mkdtemp(join(tmpdir(), "log-"));
  const database = await openDatabase(directory);
  const application: LogApplication = { apply: () => {}, save: () => [], restore: () => {} };
  const options = { database, name: "log", application, self: 1 };
  const log = await SingleNodeLog.open(options);
  for (const byte of [1, 2, 3]) await log.propose(Uint8Array.of(byte));
  await database.del("log/entry/0000000000000002");
  await expect(SingleNodeLog.open(options)).rejects.toThrow("Entry 2 of the log is missing");
  await database.close();
  await rm(directory, { recursive: true });
});
