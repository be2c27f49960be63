/**
 * Reschedules flights: one transaction takes some out of a slot, changes their time, and adds them to the emptier of two
 * other slots. It reads three keys and writes three, and never changes how many flights there are. The same code runs
 * against an embedded store and against a cluster.
 */
import type { Khonsu, TransactionContext } from "@khonsu/core";
import type { Prng } from "@khonsu/testkit/simulator";
import { type RecordBatch, Table } from "apache-arrow";
import { flightBatch, flightColumns, SLOT_COUNT, slotKey } from "./flights.ts";
import { appendMove, MOVE_LOG_KEY, type Move } from "./move-log.ts";
import { turn } from "./workers.ts";

const FLIGHTS_PER_MOVE_MAX = 20;

/** What one transaction is to do, drawn before it runs: its body may run more than once. */
export interface Plan {
  readonly id: number;
  readonly from: number;
  /** The emptier of the two gets the flights. */
  readonly candidates: readonly [number, number];
  readonly flights: number;
  /** Where in the slot the flights are taken from, from 0 to below 1. */
  readonly position: number;
}

export function drawPlan(random: Prng, id: number): Plan {
  const from = random.integer(0, SLOT_COUNT - 1);
  const other = () => (from + random.integer(1, SLOT_COUNT - 1)) % SLOT_COUNT;
  const flights = random.integer(1, FLIGHTS_PER_MOVE_MAX);
  return { id, from, candidates: [other(), other()], flights, position: random.fraction() };
}

/** @returns the move once it is durable; undefined where the slot had no flights to move. */
export function reschedule(db: Khonsu, plan: Plan): Promise<Move | undefined> {
  return db.transact((tx) => moveFlights(tx, plan, MOVE_LOG_KEY));
}

/** @param logKey where the move is noted */
export async function moveFlights(
  tx: TransactionContext,
  plan: Plan,
  logKey: string,
): Promise<Move | undefined> {
  const batch = await tx.read(slotKey(plan.from));
  if (batch === undefined || batch.numRows === 0) return undefined;
  await turn();
  const to = await emptier(tx, plan.candidates);
  const flights = Math.min(plan.flights, batch.numRows);
  const start = Math.floor(plan.position * (batch.numRows - flights + 1));
  const end = start + flights;
  tx.write(slotKey(plan.from), new Table([batch.slice(0, start), batch.slice(end)]));
  tx.append(slotKey(to), withSlot(batch.slice(start, end), to));
  const move = { id: plan.id, from: plan.from, to, flights };
  appendMove(tx, move, logKey);
  return move;
}

async function emptier(tx: TransactionContext, [a, b]: readonly [number, number]): Promise<number> {
  const sizeOf = async (slot: number) => (await tx.readTable(slotKey(slot)))?.numRows ?? 0;
  const [sizeOfA, sizeOfB] = await Promise.all([sizeOf(a), sizeOf(b)]);
  return sizeOfA <= sizeOfB ? a : b;
}

/** The flights with the beginning of `slot` as their time. */
function withSlot(flights: RecordBatch, slot: number): RecordBatch {
  return flightBatch({ ...flightColumns(flights), time: new Float32Array(flights.numRows).fill(slot / 4) });
}
