/**
 * A machine loses its power again and again: of LevelDB's log any part is gone that was not synced, its end or pages in the middle, and the
 * store has all that was acknowledged, by its journal (SF-9). The files are small here, so that they take turns every few groups.
 */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Prng } from "@khonsu/testkit/simulator";
import { assertContents, groups, loadAll } from "@khonsu/testkit/storage-suite";
import fc from "fast-check";
import { afterEach, beforeEach, test } from "vitest";
import { openDatabase } from "../src/database.ts";
import { LevelStorage } from "../src/index.ts";
import type { JournalLimits } from "../src/journal/journal.ts";
import { bytesOf } from "../src/journal/journal-record.ts";
import { copyDatabase } from "./media.ts";

const SMALL: JournalLimits = { fileBytesMax: 3000, batchBytesMax: 1500 };
const PAGE_BYTES = 512;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "khonsu-power-"));
});
afterEach(async () => rm(root, { recursive: true, force: true }));

/** A database that is open, and how much of each log a synced write of LevelDB itself has made safe. */
class Machine {
  readonly random: Prng;
  storage: LevelStorage | undefined;
  #location: string;
  #safe = new Map<string, number>();
  #boots = 0;

  constructor(seed: string) {
    this.random = new Prng(seed);
    this.#location = join(root, seed);
  }

  async boot(): Promise<LevelStorage> {
    const database = await openDatabase(this.#location, { journaled: true, limits: SMALL });
    this.storage = await LevelStorage.over({
      pristine: database.pristine ?? true,
      isJournaled: database.isJournaled ?? false,
      batch: async (operations, options) => {
        await database.batch(operations, options);
        if (bytesOf(operations) > SMALL.batchBytesMax) await this.#noteSynced();
      },
      getMany: (keys) => database.getMany(keys),
      iterator: (options) => database.iterator(options),
      close: () => database.close(),
    });
    return this.storage;
  }

  /** Goes on with what the disk has after the power was lost, nothing being under way. */
  async losePower(): Promise<LevelStorage> {
    const rest = join(root, `${this.random.uint32()}-${this.#boots++}`);
    await this.#image(rest);
    for (const log of await logsIn(rest)) await this.#lose(join(rest, log), this.#safe.get(log) ?? 0);
    await this.storage?.close();
    await rm(this.#location, { recursive: true });
    this.#location = rest;
    this.#safe = new Map();
    return this.boot();
  }

  async #noteSynced(): Promise<void> {
    for (const log of await logsIn(this.#location))
      this.#safe.set(log, (await stat(join(this.#location, log))).size);
  }

  /** A copy that no flush in the background has changed in the middle. */
  async #image(to: string): Promise<void> {
    for (;;) {
      const before = await readdir(this.#location);
      const copied = await copyDatabase(this.#location, to).then(
        () => true,
        () => false,
      );
      if (copied && String(await readdir(this.#location)) === String(before)) return;
      await rm(to, { recursive: true, force: true });
    }
  }

  async #lose(log: string, safe: number): Promise<void> {
    const bytes = await readFile(log);
    if (this.random.chance(0.5)) {
      await writeFile(log, bytes.subarray(0, this.random.integer(safe, bytes.byteLength)));
      return;
    }
    const from = this.random.integer(safe, bytes.byteLength);
    await writeFile(log, bytes.fill(0, from, Math.min(bytes.byteLength, from + PAGE_BYTES)));
  }
}

async function logsIn(location: string): Promise<string[]> {
  return (await readdir(location)).filter((file) => file.endsWith(".log"));
}

test("whatever LevelDB's log loses, all that was acknowledged is there, over many losses", async () => {
  let run = 0;
  const property = fc.asyncProperty(groups({ groups: 24, commits: 3 }), fc.nat(), async (history, seed) => {
    const machine = new Machine(`${seed}-${run++}`);
    let storage = await machine.boot();
    for (const [index, group] of history.entries()) {
      await storage.write(group);
      if (!machine.random.chance(0.25)) continue;
      storage = await machine.losePower();
      assertContents(await loadAll(storage), history.slice(0, index + 1).flat());
    }
    await storage.close();
  });
  await fc.assert(property, { numRuns: 25 });
});
