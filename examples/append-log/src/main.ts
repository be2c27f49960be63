/** The same writers under `append` and under `fail`. */
import { Khonsu } from "@khonsu/core";
import { readEntries, writeEntries } from "./append-log.ts";

const WRITERS = 8;
const ENTRIES = 25;

for (const onConflict of ["append", "fail"] as const) {
  await using db = await Khonsu.open();
  await Promise.all(
    Array.from({ length: WRITERS }, (_, writer) => writeEntries(db, writer, ENTRIES, onConflict)),
  );
  const { length } = await readEntries(db);
  console.log(`${onConflict}: ${length} entries of ${WRITERS} writers, ${db.stats().retries} retries`);
}
