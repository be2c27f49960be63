/** The consistency conditions of clause 3.3.2, all twelve. Nothing else may run meanwhile: each warehouse is read at its own snapshot. */
import type { TransactionContext } from "@khonsu/core";
import { assertEqual, type TransactionStore } from "../workload.ts";
import { deliveredAtFirst, upTo } from "./load.ts";
import { readOrders } from "./orders.ts";
import type { Scale } from "./scale.ts";
import * as schema from "./schema.ts";
import { key } from "./schema.ts";

/** What the rows of history add up to, by the key of the district of the payment, and by the key of the customer. */
type Paid = Map<string, number>;

interface DistrictTotals {
  readonly ytd: number;
  readonly paid: number;
  /** Orders delivered since the population. */
  readonly delivered: number;
}

/**
 * @param delivered how many orders callers were told were delivered, over all warehouses
 * @throws Error naming the first condition that does not hold
 */
export async function checkConsistency(
  store: TransactionStore,
  scale: Scale,
  delivered: number,
): Promise<void> {
  const paid: Paid = new Map();
  const readOnly = { readOnly: true };
  for (const w of upTo(scale.warehouses)) {
    const sums = await store.transact((tx) => paymentsAt(tx, w, scale), readOnly);
    for (const [payer, amount] of sums) paid.set(payer, (paid.get(payer) ?? 0) + amount);
  }
  let found = 0;
  for (const w of upTo(scale.warehouses))
    found += await store.transact((tx) => checkWarehouse(tx, w, scale, paid), readOnly);
  assertEqual("3.3.2.11, orders delivered since the population", found, delivered);
}

async function paymentsAt(tx: TransactionContext, w: number, scale: Scale): Promise<Paid> {
  const paid: Paid = new Map();
  const add = (payer: string, amount: number) => paid.set(payer, (paid.get(payer) ?? 0) + amount);
  for (const d of upTo(scale.districts)) {
    for (const row of schema.HISTORY.rows(await tx.read(key.history(w, d)))) {
      add(key.district(w, d), row.amount);
      add(key.customer(row.customerWarehouse, row.customerDistrict, row.customer), row.amount);
    }
  }
  return paid;
}

/** @returns how many orders were delivered since the population. */
async function checkWarehouse(tx: TransactionContext, w: number, scale: Scale, paid: Paid): Promise<number> {
  const { ytd } = schema.WAREHOUSE.row(await tx.read(key.warehouse(w)));
  const totals: DistrictTotals[] = [];
  for (const d of upTo(scale.districts)) totals.push(await checkDistrict(tx, w, d, scale, paid));
  const sum = (of: (each: DistrictTotals) => number) => totals.reduce((total, each) => total + of(each), 0);
  assertEqual(
    `3.3.2.1, W_YTD of warehouse ${w} by districts`,
    ytd,
    sum((each) => each.ytd),
  );
  assertEqual(
    `3.3.2.8, W_YTD of warehouse ${w} by history`,
    ytd,
    sum((each) => each.paid),
  );
  return sum((each) => each.delivered);
}

async function checkDistrict(
  tx: TransactionContext,
  w: number,
  d: number,
  scale: Scale,
  paid: Paid,
): Promise<DistrictTotals> {
  const where = `of district ${d} of warehouse ${w}`;
  const { nextOrder, ytd } = schema.DISTRICT.row(await tx.read(key.district(w, d)));
  const found = await readOrders(tx, w, d);
  const { orders, fresh } = found;
  assertEqual(`3.3.2.2, D_NEXT_O_ID ${where}`, nextOrder - 1, Math.max(...orders.keys()));
  if (fresh.size > 0) {
    assertEqual(`3.3.2.2, the largest NO_O_ID ${where}`, Math.max(...fresh), nextOrder - 1);
    assertEqual(`3.3.2.3, rows of NEW-ORDER ${where}`, fresh.size, nextOrder - Math.min(...fresh));
  }
  const counted = [...orders.values()].reduce((sum, order) => sum + order.row.lines, 0);
  assertEqual(`3.3.2.4, rows of ORDER-LINE ${where}`, found.lines, counted);
  const owed = new Map<number, number>();
  for (const [o, { row, lines }] of orders) {
    const which = `${where}, order ${o}`;
    assertEqual(
      `3.3.2.5, whether O_CARRIER_ID is null ${which}`,
      Number(row.carrier === 0),
      Number(fresh.has(o)),
    );
    assertEqual(`3.3.2.6, O_OL_CNT ${which}`, row.lines, lines.length);
    for (const line of lines)
      assertEqual(
        `3.3.2.7, whether OL_DELIVERY_D is null ${which}`,
        Number(line.deliveredAt === 0),
        Number(row.carrier === 0),
      );
    const amount = row.carrier === 0 ? 0 : lines.reduce((sum, line) => sum + line.amount, 0);
    owed.set(row.customer, (owed.get(row.customer) ?? 0) + amount);
  }
  const paidHere = paid.get(key.district(w, d)) ?? 0;
  assertEqual(`3.3.2.9, D_YTD ${where}`, ytd, paidHere);
  await checkCustomers(tx, w, d, scale, owed, paid);
  return { ytd, paid: paidHere, delivered: orders.size - fresh.size - deliveredAtFirst(scale.customers) };
}

async function checkCustomers(
  tx: TransactionContext,
  w: number,
  d: number,
  scale: Scale,
  owed: ReadonlyMap<number, number>,
  paid: Paid,
): Promise<void> {
  for (const c of upTo(scale.customers)) {
    const { balance, ytdPayment } = schema.CUSTOMER.row(await tx.read(key.customer(w, d, c)));
    const which = `of customer ${c} of district ${d} of warehouse ${w}`;
    const delivered = owed.get(c) ?? 0;
    assertEqual(`3.3.2.10, C_BALANCE ${which}`, balance, delivered - (paid.get(key.customer(w, d, c)) ?? 0));
    assertEqual(`3.3.2.12, C_BALANCE and C_YTD_PAYMENT ${which}`, balance + ytdPayment, delivered);
  }
}
