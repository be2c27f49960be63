/** The two transactions that only read: order-status (clause 2.6) and stock-level (clause 2.8). */
import type { TransactionContext } from "@khonsu/core";
import { readTogether, upTo } from "../workload.ts";
import { find, type Who } from "./payment.ts";
import * as schema from "./schema.ts";
import { key } from "./schema.ts";

/** @returns the lines of the customer's newest order. */
export async function orderStatus(tx: TransactionContext, w: number, d: number, who: Who): Promise<number> {
  const c = await find(tx, w, d, who);
  await readTogether(tx, [key.customer(w, d, c), key.lastOrder(w, d, c)]);
  schema.CUSTOMER.row(await tx.read(key.customer(w, d, c)));
  const { order: o } = schema.LAST_ORDER.row(await tx.read(key.lastOrder(w, d, c)));
  await readTogether(tx, [key.order(w, d, o), key.lines(w, d, o)]);
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
  const { nextOrder } = schema.NEXT_ORDER.row(await tx.read(key.nextOrder(w, d)));
  const items = new Set<number>();
  const last = upTo(Math.min(20, nextOrder - 1)).map((back) => nextOrder - back);
  await readTogether(
    tx,
    last.map((o) => key.lines(w, d, o)),
  );
  for (const o of last)
    for (const { item } of schema.ORDER_LINE.rows(await tx.read(key.lines(w, d, o)))) items.add(item);
  await readTogether(
    tx,
    [...items].map((item) => key.stock(w, item)),
  );
  let low = 0;
  for (const item of items)
    if (schema.STOCK.row(await tx.read(key.stock(w, item))).quantity < threshold) low++;
  return low;
}
