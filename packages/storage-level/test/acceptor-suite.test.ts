/** The compliance suite of the paxos package over a log on disk. A crash is a copy of the files while writes are under way. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AcceptorStorageHarness, acceptorStorageSuite } from "@khonsu/paxos/testing";
import { ClassicLevel as Level } from "classic-level";
import { describe, test } from "vitest";
import { LevelAcceptorLog, type LevelDatabase } from "../src/acceptor/index.ts";
import { integersIn, LOG_TAG, rangeOf } from "../src/acceptor/log-keys.ts";
import { openDatabase } from "../src/database.ts";

const GROUP = "group under test";

async function diskHarness(): Promise<AcceptorStorageHarness> {
  const root = await mkdtemp(join(tmpdir(), "khonsu-acceptor-"));
  const opened: LevelAcceptorLog[] = [];
  let generation = 0;
  let failing = Number.POSITIVE_INFINITY;
  const location = () => join(root, String(generation));
  return {
    open: async () => {
      await opened.at(-1)?.close();
      failing = Number.POSITIVE_INFINITY;
      const database = failable(await openDatabase(location()), () => --failing <= 0);
      const log = await LevelAcceptorLog.over(database);
      opened.push(log);
      return log.group(GROUP);
    },
    crash: async () => {
      const crashed = location();
      generation++;
      await cp(crashed, location(), { recursive: true, filter: (file) => !file.endsWith("LOCK") });
    },
    failWrites: async (count) => {
      failing = count;
    },
    corruptEntry: async (slot) => {
      await opened.at(-1)?.close();
      await edit(location(), LOG_TAG.log, (_, value) => {
        const at = Buffer.from(value).indexOf(`slot ${slot}`);
        if (at >= 0) value[at]! ^= 1;
      });
    },
    corruptImage: async (slot) => {
      await opened.at(-1)?.close();
      await edit(location(), LOG_TAG.image, (key, value) => {
        if (integersIn(key, 2)[0] === slot) value[value.byteLength - 1]! ^= 1;
      });
    },
    destroy: async () => {
      for (const log of opened) await log.close();
      await rm(root, { recursive: true });
    },
  };
}

function failable(database: LevelDatabase, fails: () => boolean): LevelDatabase {
  const batch: LevelDatabase["batch"] = async (operations, options) => {
    if (fails()) throw new Error("injected: input/output error");
    await database.batch(operations, options);
  };
  return { ...database, batch };
}

async function edit(
  location: string,
  tag: number,
  change: (key: Uint8Array, value: Uint8Array) => void,
): Promise<void> {
  const level = new Level<Uint8Array, Uint8Array>(location, { keyEncoding: "view", valueEncoding: "view" });
  await level.open();
  for await (const [key, value] of level.iterator(rangeOf(tag, GROUP))) {
    change(key, value);
    await level.put(key, value);
  }
  await level.close();
}

describe("an acceptor log on LevelDB", () => {
  acceptorStorageSuite({
    test,
    factory: diskHarness,
    supports: { crash: true, corruptEntry: true, corruptImage: true, failWrites: true },
  });
});
