/** Records in a table of SQLite in memory, as Node brings it: a column a field, prepared statements, one transaction at a time. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { Unavailable } from "../compare.ts";
import type { RecordOf, RecordType } from "../workloads/record-type.ts";
import type { Columns, RecordStore, Records } from "../workloads/records.ts";
import { OneAtATime } from "./one-at-a-time.ts";

const SQL_TYPES = { int32: "INTEGER", float64: "REAL", utf8: "TEXT" } as const;

/** @throws Unavailable where Node has no SQLite. */
export async function sqliteRecords<S extends Columns>(
  type: RecordType<S>,
): Promise<RecordStore<S> & Disposable> {
  const { DatabaseSync: Database } = await import("node:sqlite").catch(() => {
    throw new Unavailable("node:sqlite comes with Node 22.13 and newer");
  });
  const db = new Database(":memory:");
  const columns = type.columns.map(([name, column]) => `${name} ${SQL_TYPES[column]} NOT NULL`);
  db.exec(`CREATE TABLE record (key TEXT PRIMARY KEY, ${columns.join(", ")}) WITHOUT ROWID`);
  const statements = {
    begin: db.prepare("BEGIN"),
    commit: db.prepare("COMMIT"),
    rollback: db.prepare("ROLLBACK"),
  };
  const records = recordsIn(db, type);
  const turns = new OneAtATime();
  return {
    transact: (body) =>
      turns.run(async () => {
        statements.begin.run();
        try {
          const result = await body(records);
          statements.commit.run();
          return result;
        } catch (error) {
          statements.rollback.run();
          throw error;
        }
      }),
    [Symbol.dispose]: () => db.close(),
  };
}

function recordsIn<S extends Columns>(db: DatabaseSync, { columns }: RecordType<S>): Records<S> {
  const names = columns.map(([name]) => name);
  const values = `VALUES (?${", ?".repeat(names.length)})`;
  const get = db.prepare(`SELECT ${names.join(", ")} FROM record WHERE key = ?`);
  const put = db.prepare(`INSERT OR REPLACE INTO record ${values}`);
  const add = db.prepare(`INSERT INTO record ${values}`);
  const scan = db.prepare(`SELECT ${names.join(", ")} FROM record WHERE key >= ? ORDER BY key LIMIT ?`);
  const fields = (record: RecordOf<S>) => names.map((name) => record[name] as SQLInputValue);
  return {
    get: (key) => get.get(key) as RecordOf<S> | undefined,
    put: (key, record) => void put.run(key, ...fields(record)),
    add: (key, record) => void add.run(key, ...fields(record)),
    scan: (from, limit) => scan.iterate(from, limit) as Iterable<unknown> as Iterable<RecordOf<S>>,
  };
}
