import { Khonsu } from "@khonsu/core";
import { expect, test } from "vitest";
import { readEntries, writeEntries } from "../src/append-log.ts";

const WRITERS = [0, 1, 2, 3];
const ENTRIES = 10;

test.each(["append", "fail"] as const)(
  "under %s every entry is there once, each writer's in its order",
  async (onConflict) => {
    await using db = await Khonsu.open();
    await Promise.all(WRITERS.map((writer) => writeEntries(db, writer, ENTRIES, onConflict)));
    const entries = await readEntries(db);
    expect(entries).toHaveLength(WRITERS.length * ENTRIES);
    for (const writer of WRITERS) {
      const own = entries.filter((entry) => entry.writer === writer).map(({ sequence }) => sequence);
      expect(own).toEqual(Array.from({ length: ENTRIES }, (_, i) => i));
    }
    if (onConflict === "append") expect(db.stats()).toMatchObject({ retries: 0, rollbacks: 0 });
    else expect(db.stats().retries).toBeGreaterThan(0);
  },
);
