/**
 * The flights: which columns they have, and under which keys they stand. A day has 96 slots of a quarter of an hour; the
 * flights that depart in one slot are the batch of one key.
 */
import { Field, Float32, Int16, makeData, RecordBatch, Schema, Struct } from "apache-arrow";

export const SLOT_COUNT = 96;
export const FLIGHTS_PREFIX = "flights/";

/** The key of a slot: `flights/07:45`. */
export function slotKey(slot: number): string {
  const hour = String(Math.floor(slot / 4)).padStart(2, "0");
  const minute = String((slot % 4) * 15).padStart(2, "0");
  return `${FLIGHTS_PREFIX}${hour}:${minute}`;
}

/** @param time hours since midnight, from 0 to below 24 */
export function slotOf(time: number): number {
  return Math.floor(time * 4);
}

export interface FlightColumns {
  /** Minutes. */
  readonly delay: Int16Array;
  /** Miles. */
  readonly distance: Int16Array;
  /** Of departure, in hours since midnight. */
  readonly time: Float32Array;
}

const FIELDS = [
  new Field("delay", new Int16(), true),
  new Field("distance", new Int16(), true),
  new Field("time", new Float32(), true),
];
const SCHEMA = new Schema(FIELDS);

export function flightBatch({ delay, distance, time }: FlightColumns): RecordBatch {
  const children = [
    makeData({ type: new Int16(), data: delay }),
    makeData({ type: new Int16(), data: distance }),
    makeData({ type: new Float32(), data: time }),
  ];
  return new RecordBatch(SCHEMA, makeData({ type: new Struct(FIELDS), length: delay.length, children }));
}

/** The columns of a batch of flights, without a copy; not to be changed. */
export function flightColumns(batch: RecordBatch): FlightColumns {
  const column = (name: string) => batch.getChild(name)?.toArray();
  return { delay: column("delay"), distance: column("distance"), time: column("time") };
}

/** What no rescheduling changes: how many flights there are, and two checksums over their columns. */
export interface Totals {
  readonly flights: number;
  readonly distance: number;
  readonly delay: number;
}

export const NO_FLIGHTS: Totals = { flights: 0, distance: 0, delay: 0 };

export function addFlights(totals: Totals, batch: RecordBatch): Totals {
  const { delay, distance } = flightColumns(batch);
  return {
    flights: totals.flights + batch.numRows,
    distance: totals.distance + sum(distance),
    delay: totals.delay + sum(delay),
  };
}

export function areEqual(a: Totals, b: Totals): boolean {
  return a.flights === b.flights && a.distance === b.distance && a.delay === b.delay;
}

function sum(values: Int16Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
