/**
 * The log of moves: each transaction that reschedules flights appends one row here. So the sizes of all slots follow from
 * the log, and a commit that is there only in part shows.
 */
import type { Transaction, TransactionContext } from "@khonsu/core";
import { Field, Int16, Int32, makeData, RecordBatch, Schema, Struct } from "apache-arrow";
import { SLOT_COUNT, slotKey } from "./flights.ts";

export const MOVE_LOG_KEY = "log/moves";

export interface Move {
  /** Unique in the store. */
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly flights: number;
}

const FIELDS = [
  new Field("id", new Int32()),
  new Field("from", new Int16()),
  new Field("to", new Int16()),
  new Field("flights", new Int32()),
];
const SCHEMA = new Schema(FIELDS);

/** Adds a row without reading the log: concurrent appends follow one another rather than conflict. */
export function appendMove(
  tx: TransactionContext,
  { id, from, to, flights }: Move,
  key: string = MOVE_LOG_KEY,
): void {
  const children = [
    makeData({ type: new Int32(), data: Int32Array.of(id) }),
    makeData({ type: new Int16(), data: Int16Array.of(from) }),
    makeData({ type: new Int16(), data: Int16Array.of(to) }),
    makeData({ type: new Int32(), data: Int32Array.of(flights) }),
  ];
  const row = new RecordBatch(SCHEMA, makeData({ type: new Struct(FIELDS), length: 1, children }));
  tx.append(key, row, { onConflict: "append" });
}

/** The moves from `firstId` on, in the order of their commits. */
export function readMoves(tx: Transaction, firstId: number): readonly Move[] {
  const log = tx.read(MOVE_LOG_KEY);
  return log === undefined ? [] : movesIn(log).filter(({ id }) => id >= firstId);
}

/** The rows of a log. */
export function movesIn(log: RecordBatch): readonly Move[] {
  const column = (name: string): Int32Array | Int16Array => log.getChild(name)?.toArray();
  const [ids, from, to, flights] = [column("id"), column("from"), column("to"), column("flights")];
  return Array.from(ids, (id, i) => ({ id, from: from[i]!, to: to[i]!, flights: flights[i]! }));
}

/** An id above all in the log. */
export function nextMoveId(tx: Transaction): number {
  return readMoves(tx, 0).reduce((next, { id }) => Math.max(next, id + 1), 0);
}

/** How many flights each slot has. */
export function slotSizes(tx: Transaction): readonly number[] {
  return Array.from({ length: SLOT_COUNT }, (_, slot) => tx.readTable(slotKey(slot))?.numRows ?? 0);
}

/** How many flights each slot has after `moves`. */
export function sizesAfter(sizes: readonly number[], moves: readonly Move[]): readonly number[] {
  const after = [...sizes];
  for (const { from, to, flights } of moves) {
    after[from]! -= flights;
    after[to]! += flights;
  }
  return after;
}
