/**
 * Counts and sums all flights while they are being moved, letting others run all the while: a read-only transaction sees
 * one snapshot, so that the totals are right however long it takes.
 */
import type { IsolationLevel, Khonsu } from "@khonsu/core";
import {
  addFlights,
  areEqual,
  FLIGHTS_PREFIX,
  NO_FLIGHTS,
  SLOT_COUNT,
  slotKey,
  type Totals,
} from "./flights.ts";
import { turn } from "./workers.ts";

const SLOTS_PER_TURN = 8;

export interface AuditCounts {
  readonly audits: number;
  /** How many of them saw other totals than were loaded. */
  readonly wrong: number;
}

/** On a safe snapshot: nothing is tracked, and it cannot fail. */
export function auditByScan(db: Khonsu): Promise<Totals> {
  return db.transact(
    async (tx) => {
      let totals = NO_FLIGHTS;
      let slots = 0;
      for (const [, batch] of tx.scan({ prefix: FLIGHTS_PREFIX })) {
        totals = addFlights(totals, batch);
        if (++slots % SLOTS_PER_TURN === 0) await turn();
      }
      return totals;
    },
    { readOnly: true, deferrable: true },
  );
}

/** Key by key, at any level; under `read-committed` each read sees the newest commit, and the totals need not fit. */
export function auditByKey(db: Khonsu, isolation: IsolationLevel): Promise<Totals> {
  return db.transact(
    async (tx) => {
      let totals = NO_FLIGHTS;
      for (let slot = 0; slot < SLOT_COUNT; slot++) {
        const batch = tx.read(slotKey(slot));
        if (batch !== undefined) totals = addFlights(totals, batch);
        if (slot % SLOTS_PER_TURN === 0) await turn();
      }
      return totals;
    },
    { readOnly: true, isolation },
  );
}

/** Audits one after the other until `isOver`, at least one. */
export async function auditUntil(
  isOver: () => boolean,
  expected: Totals,
  audit: () => Promise<Totals>,
): Promise<AuditCounts> {
  let audits = 0;
  let wrong = 0;
  do {
    if (!areEqual(await audit(), expected)) wrong++;
    audits++;
  } while (!isOver());
  return { audits, wrong };
}
