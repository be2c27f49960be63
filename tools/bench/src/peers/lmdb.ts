/** lmdb without syncing: its synchronous transactions, and its asynchronous ones, which it batches. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import type { Prepared, Subject } from "../compare.ts";
import { pickKeys } from "../workload.ts";
import type { PeerData } from "./peer-data.ts";

export function lmdbSubject({ keys, bytes }: PeerData, mode: "sync" | "batched"): Subject {
  return {
    name: `lmdb ${mode === "sync" ? "synchronous transactions" : "batched transactions"}, no sync`,
    prepare: async (): Promise<Prepared> => {
      const directory = await mkdtemp(join(tmpdir(), "bench-lmdb-"));
      const db = open<Uint8Array, string>({ path: directory, noSync: true, encoding: "binary" });
      await db.transaction(() => {
        for (const key of keys) db.put(key, bytes);
      });
      const next = pickKeys(keys);
      const transaction = () => {
        const a = next();
        const b = next();
        db.get(a);
        db.get(b);
        db.put(a, bytes);
        db.put(b, bytes);
      };
      const close = async () => {
        await db.close();
        await rm(directory, { recursive: true });
      };
      if (mode === "sync") {
        const run = (operations: number) => {
          for (let i = 0; i < operations; i++) db.transactionSync(transaction);
        };
        return { run, close };
      }
      const run = async (operations: number) => {
        const pending: Promise<void>[] = [];
        for (let i = 0; i < operations; i++) pending.push(db.transaction(transaction));
        await Promise.all(pending);
      };
      return { run, close };
    },
  };
}
