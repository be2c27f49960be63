/**
 * Loads the flights into the store, one batch a slot, one commit an hour of the day. The last commit notes the totals, so
 * that a load which was cut short is told from a whole one, and done again.
 */
import { readFileSync } from "node:fs";
import type { Khonsu } from "@khonsu/core";
import { tableFromArrays, tableFromIPC } from "apache-arrow";
import { CommandError } from "../failure.ts";
import {
  addFlights,
  type FlightColumns,
  flightBatch,
  flightColumns,
  NO_FLIGHTS,
  SLOT_COUNT,
  slotKey,
  slotOf,
  type Totals,
} from "./flights.ts";

const LOADED_KEY = "demo/loaded";
const SLOTS_PER_COMMIT = 4;

export interface LoadResult {
  /** Whether the directory held the flights of an earlier run, so that none had to be loaded. */
  readonly isReused: boolean;
  /** What the store must hold from now on, whatever happens to it. */
  readonly totals: Totals;
  readonly milliseconds: number;
}

/** @param onProgress gets the number of flights that are durable */
export async function loadFlights(
  db: Khonsu,
  rows: number,
  onProgress: (flights: number) => void,
): Promise<LoadResult> {
  const started = performance.now();
  const known = await db.transact((tx) => tx.read(LOADED_KEY)?.get(0)?.toJSON() as Totals | undefined);
  if (known !== undefined && known.flights !== rows) {
    throw new CommandError(`Cannot load ${rows} flights: the store holds ${known.flights} of an earlier run`);
  }
  const totals = known ?? (await writeFlights(db, readFlights(rows), onProgress));
  return { isReused: known !== undefined, totals, milliseconds: performance.now() - started };
}

async function writeFlights(
  db: Khonsu,
  slots: readonly FlightColumns[],
  onProgress: (flights: number) => void,
): Promise<Totals> {
  let totals = NO_FLIGHTS;
  for (let first = 0; first < SLOT_COUNT; first += SLOTS_PER_COMMIT) {
    const batches = slots.slice(first, first + SLOTS_PER_COMMIT).map(flightBatch);
    await db.transact((tx) => {
      for (const [i, batch] of batches.entries()) tx.write(slotKey(first + i), batch);
    });
    totals = batches.reduce(addFlights, totals);
    onProgress(totals.flights);
  }
  const { flights, distance, delay } = totals;
  const row = tableFromArrays({ flights: [flights], distance: [distance], delay: [delay] });
  await db.transact((tx) => tx.write(LOADED_KEY, row));
  return totals;
}

/** `rows` flights, spread evenly over the data set, by slot. */
export function readFlights(rows: number): readonly FlightColumns[] {
  const file = new URL("../data/flights-200k.arrow", import.meta.resolve("vega-datasets"));
  const table = tableFromIPC(readFileSync(file));
  const all = flightColumns(table.batches[0]!);
  const rowsOfSlot = Array.from({ length: SLOT_COUNT }, (): number[] => []);
  for (let i = 0; i < rows; i++) {
    const row = Math.floor((i * table.numRows) / rows);
    rowsOfSlot[slotOf(all.time[row]!)]!.push(row);
  }
  return rowsOfSlot.map((chosen) => ({
    delay: Int16Array.from(chosen, (row) => all.delay[row]!),
    distance: Int16Array.from(chosen, (row) => all.distance[row]!),
    time: Float32Array.from(chosen, (row) => all.time[row]!),
  }));
}
