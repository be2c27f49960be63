/** The delivery transaction (clause 2.7): the oldest new order of every district of a warehouse, all in one transaction, side by side. */
import type { TransactionContext } from "@khonsu/core";
import { readTogether, upTo } from "../workload.ts";
import * as schema from "./schema.ts";
import { key, orderOf } from "./schema.ts";

export interface Delivery {
  readonly warehouse: number;
  readonly carrier: number;
  readonly date: number;
}

/** @returns in how many districts there was an order to deliver. */
export async function delivery(tx: TransactionContext, order: Delivery, districts: number): Promise<number> {
  const found = await Promise.all(upTo(districts).map((d) => deliverIn(tx, order, d)));
  return found.filter((isDelivered) => isDelivered).length;
}

async function deliverIn(
  tx: TransactionContext,
  { warehouse: w, carrier, date }: Delivery,
  d: number,
): Promise<boolean> {
  const o = await oldest(tx, w, d);
  if (o === undefined) return false;
  await readTogether(tx, [key.order(w, d, o), key.lines(w, d, o)]);
  tx.delete(key.newOrder(w, d, o));
  const order = schema.ORDER.row(await tx.read(key.order(w, d, o)));
  tx.write(key.order(w, d, o), schema.ORDER.batch({ ...order, carrier }));
  const lines = schema.ORDER_LINE.rows(await tx.read(key.lines(w, d, o)));
  tx.write(
    key.lines(w, d, o),
    schema.ORDER_LINE.batch(...lines.map((line) => ({ ...line, deliveredAt: date }))),
  );
  const amount = lines.reduce((sum, line) => sum + line.amount, 0);
  const customerKey = key.customer(w, d, order.customer);
  const customer = schema.CUSTOMER.row(await tx.read(customerKey));
  const changed = { balance: customer.balance + amount, deliveries: customer.deliveries + 1 };
  tx.write(customerKey, schema.CUSTOMER.batch({ ...customer, ...changed }));
  return true;
}

async function oldest(tx: TransactionContext, w: number, d: number): Promise<number | undefined> {
  for await (const [orderKey] of tx.scan({ prefix: key.newOrders(w, d), limit: 1 })) return orderOf(orderKey);
  return undefined;
}
