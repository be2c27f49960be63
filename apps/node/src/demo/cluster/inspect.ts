/** Looks at all flights and at all logs of moves at one moment, through whichever node a session is with. */
import type { ClusterSession } from "@khonsu/cluster";
import { addFlights, FLIGHTS_PREFIX, NO_FLIGHTS, SLOT_COUNT, slotKey, type Totals } from "../flights.ts";
import { type Move, movesIn } from "../move-log.ts";

export const LOGS_PREFIX = "log/moves/";

/** Each worker notes its moves under a key of its own, so that they do not wait for each other. */
export function logKey(worker: number): string {
  return `${LOGS_PREFIX}${String(worker).padStart(4, "0")}`;
}

export interface Inspection {
  readonly totals: Totals;
  /** How many flights each slot has. */
  readonly sizes: readonly number[];
  readonly moves: readonly Move[];
}

/** One snapshot of everything: serializable, at or after all that the session has seen, and never restarted. */
export function inspect(session: ClusterSession): Promise<Inspection> {
  return session.transact(
    async (tx) => {
      let totals = NO_FLIGHTS;
      const sizes = new Map<string, number>();
      const moves: Move[] = [];
      for await (const [key, batch] of tx.scan({ prefix: FLIGHTS_PREFIX })) {
        totals = addFlights(totals, batch);
        sizes.set(key, batch.numRows);
      }
      for await (const [, log] of tx.scan({ prefix: LOGS_PREFIX })) moves.push(...movesIn(log));
      const sizeOf = (slot: number) => sizes.get(slotKey(slot)) ?? 0;
      return { totals, sizes: Array.from({ length: SLOT_COUNT }, (_, slot) => sizeOf(slot)), moves };
    },
    { consistency: "snapshot" },
  );
}

/** All flights, counted and summed over all shards while they are being moved. */
export function audit(session: ClusterSession): Promise<Totals> {
  return session.transact(
    async (tx) => {
      let totals = NO_FLIGHTS;
      for await (const [, batch] of tx.scan({ prefix: FLIGHTS_PREFIX })) totals = addFlights(totals, batch);
      return totals;
    },
    { consistency: "snapshot" },
  );
}
