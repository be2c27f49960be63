/**
 * An append-only log in one key. An append does not read the log, so under `onConflict: "append"` it has no place in the
 * order that it could lose: concurrent appends follow one another, and none of them fails or runs again.
 */
import { setImmediate } from "node:timers/promises";
import type { Khonsu } from "@khonsu/core";
import { tableFromArrays } from "apache-arrow";

export const LOG_KEY = "log";

export interface Entry {
  readonly writer: number;
  readonly sequence: number;
}

/** Appends `count` entries, one transaction each, that overlap with those of all other writers. */
export async function writeEntries(
  db: Khonsu,
  writer: number,
  count: number,
  onConflict: "append" | "fail",
): Promise<void> {
  for (let sequence = 0; sequence < count; sequence++) {
    const entry = tableFromArrays({ writer: Int32Array.of(writer), sequence: Int32Array.of(sequence) });
    await db.transact(
      async (tx) => {
        tx.append(LOG_KEY, entry);
        await setImmediate(); // the others append meanwhile
      },
      { onConflict, maxRetries: Number.POSITIVE_INFINITY },
    );
  }
}

export async function readEntries(db: Khonsu): Promise<readonly Entry[]> {
  const log = await db.transact((tx) => tx.read(LOG_KEY));
  return log?.toArray().map((row) => row.toJSON() as Entry) ?? [];
}
