/** Records in lmdb without syncing, as the objects that it stores by itself (MessagePack), in its synchronous transactions. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import type { RecordOf, RecordType } from "../workloads/record-type.ts";
import type { Columns, RecordStore, Records } from "../workloads/records.ts";
import { OneAtATime } from "./one-at-a-time.ts";

export async function lmdbRecords<S extends Columns>(
  _type: RecordType<S>,
): Promise<RecordStore<S> & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), "bench-lmdb-"));
  const db = open<RecordOf<S>, string>({ path: directory, noSync: true });
  const put = (key: string, record: RecordOf<S>) => void db.putSync(key, record);
  const records: Records<S> = {
    get: (key) => db.get(key),
    put,
    add: put,
    scan: (from, limit) => db.getRange({ start: from, limit }).map(({ value }) => value),
  };
  const turns = new OneAtATime();
  return {
    // Given a promise, it commits once that is fulfilled, and aborts if it is rejected.
    transact: (body) => turns.run(async () => db.transactionSync(() => body(records))),
    [Symbol.asyncDispose]: async () => {
      await db.close();
      await rm(directory, { recursive: true });
    },
  };
}
