/** A store on disk, two transactions, and a second look after the store was closed. */
import { Khonsu } from "@khonsu/core";
import { LevelStorage } from "@khonsu/storage-level";
import { type RecordBatch, tableFromArrays } from "apache-arrow";

export interface Row {
  readonly id: number;
  readonly value: number;
}

export async function firstProgram(directory: string) {
  const batch = tableFromArrays({
    id: Int32Array.of(1, 2, 3),
    value: Float64Array.of(0.5, 1.5, 2.5),
  }).batches[0]!;
  const { read } = await writeAndRead(directory, batch);
  return { written: rowsOf(batch), read, reopened: await readAgain(directory) };
}

async function writeAndRead(directory: string, batch: RecordBatch) {
  await using db = await Khonsu.open({ storage: await LevelStorage.open(directory) });

  using first = db.begin();
  first.write("measurements", batch);
  await first.commit(); // from here on it is on disk

  using second = db.begin();
  const found = second.read("measurements");
  return { read: rowsOf(found) };
}

async function readAgain(directory: string) {
  await using db = await Khonsu.open({ storage: await LevelStorage.open(directory) });
  return rowsOf(await db.transact((tx) => tx.read("measurements")));
}

function rowsOf(batch: RecordBatch | undefined): readonly Row[] {
  return batch?.toArray().map((row) => row.toJSON() as Row) ?? [];
}
