/** All orders of a district with their lines, as the consistency conditions look at them. */
import type { TransactionContext } from "@khonsu/core";
import * as schema from "./schema.ts";
import { key, orderOf } from "./schema.ts";

type OrderRow = ReturnType<typeof schema.ORDER.row>;
type LineRow = ReturnType<typeof schema.ORDER_LINE.row>;

export interface OrderWithLines {
  readonly row: OrderRow;
  readonly lines: readonly LineRow[];
}

export interface DistrictOrders {
  readonly orders: ReadonlyMap<number, OrderWithLines>;
  /** Orders that are not delivered yet. */
  readonly fresh: ReadonlySet<number>;
  /** Rows of lines, whether or not their order is there. */
  readonly lines: number;
}

export async function readOrders(tx: TransactionContext, w: number, d: number): Promise<DistrictOrders> {
  const linesOf = new Map<number, LineRow[]>();
  let lines = 0;
  for await (const [linesKey, batch] of tx.scan({ prefix: key.allLines(w, d) })) {
    linesOf.set(orderOf(linesKey), schema.ORDER_LINE.rows(batch));
    lines += batch.numRows;
  }
  const orders = new Map<number, OrderWithLines>();
  for await (const [orderKey, batch] of tx.scan({ prefix: key.orders(w, d) })) {
    const o = orderOf(orderKey);
    orders.set(o, { row: schema.ORDER.row(batch), lines: linesOf.get(o) ?? [] });
  }
  const fresh = new Set<number>();
  for await (const [newKey] of tx.scan({ prefix: key.newOrders(w, d) })) fresh.add(orderOf(newKey));
  return { orders, fresh, lines };
}
