/** SQLite in memory, as Node brings it, with prepared statements and one transaction a unit of work. */
import { type Subject, Unavailable } from "../compare.ts";
import { pickKeys } from "../workload.ts";
import type { PeerData } from "./peer-data.ts";

export function sqliteSubject({ keys, bytes }: PeerData): Subject {
  return {
    name: "node:sqlite in memory",
    prepare: async () => {
      const { DatabaseSync } = await import("node:sqlite").catch(() => {
        throw new Unavailable("node:sqlite comes with Node 22.13 and newer");
      });
      const db = new DatabaseSync(":memory:");
      db.exec("CREATE TABLE entry (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID");
      const put = db.prepare("INSERT OR REPLACE INTO entry VALUES (?, ?)");
      const get = db.prepare("SELECT value FROM entry WHERE key = ?");
      const begin = db.prepare("BEGIN");
      const commit = db.prepare("COMMIT");
      begin.run();
      for (const key of keys) put.run(key, bytes);
      commit.run();
      const next = pickKeys(keys);
      return {
        run: (operations) => {
          for (let i = 0; i < operations; i++) {
            const a = next();
            const b = next();
            begin.run();
            get.get(a);
            get.get(b);
            put.run(a, bytes);
            put.run(b, bytes);
            commit.run();
          }
        },
        close: () => db.close(),
      };
    },
  };
}
