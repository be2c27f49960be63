/**
 * Imports and exports: what comes out is what went in, each row once, also where they are killed in the middle of it. In this
 * process, on an embedded store; and as processes once.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Khonsu, type TransactionContext } from "@khonsu/core";
import { RecordBatchFileWriter } from "apache-arrow";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { ClientTransactOptions, StoreClient } from "../src/client/store-client.ts";
import { exportToDirectory } from "../src/client/transfer/export-directory.ts";
import { exportToFile } from "../src/client/transfer/export-file.ts";
import { runImport } from "../src/client/transfer/run-import.ts";
import { createProgress } from "../src/demo/progress.ts";
import { TemporaryDirectory } from "../src/demo/temporary-directory.ts";
import { batchOfRows, type PlainRow } from "../src/files/build-batch.ts";
import { rowsOf } from "../src/files/rows.ts";
import { runKhonsuWith } from "./run-khonsu.ts";

const directory = new TemporaryDirectory("khonsu-transfer-");
afterAll(() => directory[Symbol.dispose]());
const place = (name: string) => join(directory.path, name);
const quiet = createProgress(true);
const OPTIONS = { prefix: "p/", rows: 10, exists: "fail" } as const;

let db: Khonsu;
let store: StoreClient;
beforeEach(async () => {
  db = await Khonsu.open();
  store = clientOf(db);
});

function clientOf(db: Khonsu): StoreClient {
  return {
    transact: (body, options) => db.transact(body, options),
    watch: (options) => db.watch(options),
    [Symbol.asyncDispose]: () => db.close(),
  };
}

/** A client that stops working at its n-th transaction: before it, or after it has committed and before anybody hears of it. */
function failing(at: number, when: "before" | "after", code: string): StoreClient {
  let count = 0;
  const fail = () => Object.assign(new Error("the connection is gone"), { code });
  return {
    ...store,
    async transact<R>(
      body: (tx: TransactionContext) => R | Promise<R>,
      options?: ClientTransactOptions,
    ): Promise<R> {
      const isLast = ++count === at;
      if (isLast && when === "before") throw fail();
      const result = await store.transact(body, options);
      if (isLast) throw fail();
      return result;
    },
  };
}

function csv(name: string, rows: readonly PlainRow[]): string {
  const names = Object.keys(rows[0]!);
  const lines = rows.map((row) => names.map((column) => row[column]).join(","));
  writeFileSync(place(name), `${names.join(",")}\n${lines.join("\n")}\n`);
  return place(name);
}

const flights = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: i, city: ["Basel", "Oslo", "Ghent"][(i * i) % 3]! }));

async function stored(prefix = ""): Promise<Record<string, PlainRow[]>> {
  return db.transact((tx) =>
    Object.fromEntries([...tx.scan({ prefix })].map(([key, batch]) => [key, [...rowsOf(batch)]])),
  );
}

const plain = (rows: readonly PlainRow[]) => rows.map((row) => ({ ...row, id: BigInt(Number(row.id)) }));

test("a file becomes parts of so many rows, with keys in the order of the rows, and leaves no note behind", async () => {
  const rows = flights(25);
  const result = await runImport(store, csv("a.csv", rows), OPTIONS, quiet);
  expect(result).toEqual({ rows: 25, keys: 3, skipped: 0 });
  const found = await stored();
  expect(Object.keys(found)).toEqual(["p/00000000", "p/00000001", "p/00000002"]);
  expect(Object.values(found).flat()).toEqual(plain(rows));
});

test("a file becomes a key for each value of a column", async () => {
  const rows = flights(25);
  const result = await runImport(store, csv("b.csv", rows), { ...OPTIONS, by: "city" }, quiet);
  expect(result).toEqual({ rows: 25, keys: 2, skipped: 0 });
  const found = await stored();
  for (const city of ["Basel", "Oslo"]) {
    expect(found[`p/${city}`]).toEqual(plain(rows.filter((row) => row.city === city)));
  }
});

test("batches of Arrow of any size become parts of the size asked for", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(15), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 20 }),
      async (sizes, rows) => {
        const file = place("sizes.arrow");
        let id = 0;
        const batches = sizes.map((size) =>
          batchOfRows(
            Array.from({ length: size }, () => ({ id: id++ })),
            batchOfRows([{ id: 0 }]).schema,
          ),
        );
        writeFileSync(file, RecordBatchFileWriter.writeAll(batches).toUint8Array(true));
        const result = await runImport(
          store,
          file,
          { ...OPTIONS, rows, exists: "replace", prefix: `${sizes}|${rows}/` },
          quiet,
        );
        expect(result.rows).toBe(id);
        const found = Object.values(await stored(`${sizes}|${rows}/`));
        expect(found.flat().map((row) => Number(row.id))).toEqual(Array.from({ length: id }, (_, i) => i));
        expect(found.slice(0, -1).every((part) => part.length === rows)).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});

describe.each(["p/ by rows", "p/ by city"])("interrupted anywhere, an import to %s", (how) => {
  const options = { ...OPTIONS, ...(how.endsWith("city") && { by: "city" }) };
  const rows = flights(35);
  // Begin, four parts, end.
  test.each([1, 2, 3, 4, 5, 6])(
    "at transaction %i goes on when it is run again, and has each row once",
    async (at) => {
      const file = csv("c.csv", rows);
      const whole = await Khonsu.open();
      await runImport(clientOf(whole), file, options, quiet);
      for (const when of ["before", "after"] as const) {
        await db.close();
        db = await Khonsu.open();
        store = clientOf(db);
        const interrupted = runImport(failing(at, when, "ECONNRESET"), file, options, quiet);
        await expect(interrupted).rejects.toThrow("the connection is gone");
        const isOver = at === 6 && when === "after";
        if (isOver) continue;
        const { skipped } = await runImport(store, file, options, quiet);
        const done = Math.max(0, at - 2 + (when === "after" ? 1 : 0));
        expect(skipped).toBe(Math.min(35, (at === 1 ? 0 : done) * 10));
        expect(await stored()).toEqual(
          await whole.transact((tx) =>
            Object.fromEntries([...tx.scan()].map(([key, batch]) => [key, [...rowsOf(batch)]])),
          ),
        );
      }
    },
  );

  test.each(["before", "after"] as const)(
    "whose outcome is unknown, %s it took effect, is tried again by itself",
    async (when) => {
      const file = csv("d.csv", rows);
      const result = await runImport(failing(3, when, "KHONSU_IN_DOUBT"), file, options, quiet);
      expect(result.rows).toBe(35);
      expect(Object.values(await stored()).flat()).toHaveLength(35);
    },
  );
});

test("what is there already is refused, replaced, or added to", async () => {
  const file = csv("e.csv", flights(5));
  await runImport(store, file, OPTIONS, quiet);
  await expect(runImport(store, file, OPTIONS, quiet)).rejects.toMatchObject({
    code: "KHONSU_KEY_EXISTS",
    message: expect.stringContaining('"p/00000000" is there already'),
  });
  expect(Object.keys(await stored())).toEqual(["p/00000000"]);
  await runImport(store, file, { ...OPTIONS, exists: "append" }, quiet);
  expect((await stored())["p/00000000"]).toHaveLength(10);
  await runImport(store, file, { ...OPTIONS, exists: "replace" }, quiet);
  expect((await stored())["p/00000000"]).toHaveLength(5);
});

test("another file does not go on with an import that was interrupted, unless it is begun anew", async () => {
  const first = csv("f.csv", flights(25));
  await expect(runImport(failing(3, "before", "ECONNRESET"), first, OPTIONS, quiet)).rejects.toThrow();
  const second = csv("g.csv", flights(24));
  await expect(runImport(store, second, OPTIONS, quiet)).rejects.toMatchObject({
    code: "KHONSU_IMPORT_MISMATCH",
  });
  const result = await runImport(store, second, { ...OPTIONS, restart: true, exists: "replace" }, quiet);
  expect(result).toMatchObject({ rows: 24, skipped: 0 });
});

test("two imports to one prefix at once: one is refused, and each row is there once", async () => {
  const files = [csv("h.csv", flights(25)), csv("i.csv", flights(24))];
  const results = await Promise.allSettled(files.map((file) => runImport(store, file, OPTIONS, quiet)));
  const won = results.findIndex(({ status }) => status === "fulfilled");
  expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(Object.values(await stored("p/")).flat()).toEqual(plain(flights(won === 0 ? 25 : 24)));
});

test.each([
  [{ by: "country" }, 'There is no column "country" to split by, but id, city'],
  [{ by: "city" }, 'A row has no value in "city"'],
])("a column that does not do is refused: %j", async (options, reason) => {
  writeFileSync(place("j.csv"), "id,city\n1,\n");
  await expect(runImport(store, place("j.csv"), { ...OPTIONS, ...options }, quiet)).rejects.toThrow(reason);
});

test("an export has the rows of all keys selected, and comes into place whole", async () => {
  await runImport(store, csv("k.csv", flights(25)), OPTIONS, quiet);
  const path = place("out.csv");
  expect(await exportToFile(store, path, { prefix: "p/" }, quiet)).toEqual({ rows: 25, keys: 3 });
  expect(readFileSync(path, "utf8")).toBe(readFileSync(place("k.csv"), "utf8"));
  await exportToFile(store, place("keys.csv"), { from: "p/00000002", withKeys: true }, quiet);
  expect(readFileSync(place("keys.csv"), "utf8")).toContain("_key,id,city\np/00000002,20,");
  await expect(exportToFile(store, place("none.csv"), { prefix: "x/" }, quiet)).rejects.toMatchObject({
    code: "KHONSU_KEY_ABSENT",
  });
  expect(existsSync(place("none.csv"))).toBe(false);
  await expect(
    exportToFile(failing(1, "after", "KHONSU_X"), place("none.csv"), { prefix: "p/" }, quiet),
  ).rejects.toThrow();
  expect(readdirSync(directory.path).filter((name) => name.includes("none"))).toEqual([]);
});

test("a transaction that is run again does not write rows twice", async () => {
  await runImport(store, csv("l.csv", flights(5)), OPTIONS, quiet);
  const again: StoreClient = {
    ...store,
    async transact(body, options) {
      await store.transact(body, options);
      return store.transact(body, options);
    },
  };
  expect(await exportToFile(again, place("again.csv"), { prefix: "p/" }, quiet)).toEqual({
    rows: 5,
    keys: 1,
  });
  expect(readFileSync(place("again.csv"), "utf8")).toBe(readFileSync(place("l.csv"), "utf8"));
});

test("a directory has a file a key, goes on where it was interrupted, and is imported under another prefix", async () => {
  await db.transact((tx) => {
    for (let i = 0; i < 150; i++)
      tx.write(`d/${String(i).padStart(3, "0")}`, batchOfRows([i % 2 === 0 ? { n: i } : { text: `${i}` }]));
    tx.write("e", batchOfRows([{ n: 0 }]));
  });
  const path = place("split");
  const flags = { prefix: "d/" } as Parameters<typeof exportToDirectory>[2];
  await expect(exportToDirectory(failing(2, "before", "KHONSU_X"), path, flags, quiet)).rejects.toThrow();
  // Killed while it was about to note a key.
  const list = join(path, "keys.jsonl");
  writeFileSync(list, readFileSync(list, "utf8").slice(0, -9));
  expect(await exportToDirectory(store, path, flags, quiet)).toEqual({ rows: 150, keys: 150 });
  expect(readdirSync(path)).toHaveLength(151);
  const other = { prefix: "e" } as typeof flags;
  await expect(exportToDirectory(store, path, other, quiet)).rejects.toMatchObject({
    code: "KHONSU_FILE_INVALID",
  });
  const result = await runImport(store, path, { ...OPTIONS, prefix: "copy/" }, quiet);
  expect(result).toMatchObject({ keys: 150, rows: 150 });
  const [original, copy] = [await stored("d/"), await stored("copy/")];
  expect(Object.values(copy)).toEqual(Object.values(original));
  expect(Object.keys(copy)).toEqual(Object.keys(original).map((key) => key.replace("d/", "copy/")));
});

test("as processes, through files and through pipes", async () => {
  const env = { KHONSU_DIR: place("store") };
  const file = csv("m.csv", flights(2500));
  const done = await runKhonsuWith({ env }, "import", file, "--prefix", "f/", "--rows", "1000");
  expect(done).toMatchObject({
    status: 0,
    stdout: "",
    stderr: expect.stringMatching(/\n2500 rows under 3 keys\n$/),
  });
  const out = await runKhonsuWith({ env }, "export", "-", "--prefix", "f/", "--quiet");
  expect(out).toMatchObject({
    status: 0,
    stdout: readFileSync(file, "utf8"),
    stderr: "2500 rows of 3 keys\n",
  });
  const piped = await runKhonsuWith({ env, input: out.stdout }, "import", "-", "--prefix", "g/", "--quiet");
  expect(piped).toMatchObject({ status: 0, stderr: "2500 rows under 1 key\n" });
  const wrong = await runKhonsuWith({ env }, "import", file);
  expect(wrong).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("required option '--prefix <text>'"),
  });
});
