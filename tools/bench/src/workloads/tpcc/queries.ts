/** The two transactions that only read: order-status (clause 2.6) and stock-level (clause 2.8). */
import type { TransactionContext } from "@khonsu/core";
import { find, type Who } from "./payment.ts";
import * as schema from "./schema.ts";
import { key } from "./schema.ts";

/** @returns the lines of the customer's newest order. */
export async function orderStatus(tx: TransactionContext, w: number, d: number, who: Who): Promise<number> {
  const c = await find(tx, w, d, who);
  schema.CUSTOMER.row(await tx.read(key.customer(w, d, c)));
  const { order: o } = schema.LAST_ORDER.row(await tx.read(key.lastOrder(w, d, c)));
  schema.ORDER.row(await tx.read(key.order(w, d, o)));
  return schema.ORDER_LINE.rows(await tx.read(key.lines(w, d, o))).length;
}

/** @returns how many of the items in the last twenty orders are low on stock. */
export async function stockLevel(
  tx: TransactionContext,
  w: number,
  d: number,
  threshold: number,
): Promise<number> {
  const { nextOrder } = schema.DISTRICT.row(await tx.read(key.district(w, d)));
  const items = new Set<number>();
  for (let o = Math.max(1, nextOrder - 20); o < nextOrder; o++)
    for (const { item } of schema.ORDER_LINE.rows(await tx.read(key.lines(w, d, o)))) items.add(item);
  let low = 0;
  for (const item of items)
    if (schema.STOCK.row(await tx.read(key.stock(w, item))).quantity < threshold) low++;
  return low;
}
