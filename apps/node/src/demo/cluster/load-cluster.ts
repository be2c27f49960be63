/** Loads the flights into the cluster, one batch a slot, over the shards that their keys fall into. */
import type { ClusterSession } from "@khonsu/cluster";
import type { TransactionContext } from "@khonsu/core";
import { addFlights, flightBatch, NO_FLIGHTS, SLOT_COUNT, slotKey, type Totals } from "../flights.ts";
import { readFlights } from "../load.ts";
import { persistently } from "./persistently.ts";

const SLOTS_PER_COMMIT = 8;

export interface ClusterLoad {
  /** What the cluster must hold from now on, whatever happens to it. */
  readonly totals: Totals;
  readonly milliseconds: number;
}

/** @param onProgress gets the number of flights that are durable at a majority */
export async function loadCluster(
  session: ClusterSession,
  rows: number,
  onProgress: (flights: number) => void,
): Promise<ClusterLoad> {
  const slots = readFlights(rows).map(flightBatch);
  const started = performance.now();
  let totals = NO_FLIGHTS;
  for (let first = 0; first < SLOT_COUNT; first += SLOTS_PER_COMMIT) {
    const batches = slots.slice(first, first + SLOTS_PER_COMMIT);
    const write = (tx: TransactionContext) => {
      for (const [i, batch] of batches.entries()) tx.write(slotKey(first + i), batch);
    };
    await persistently(() => session.transact(write));
    totals = batches.reduce(addFlights, totals);
    onProgress(totals.flights);
  }
  return { totals, milliseconds: performance.now() - started };
}
