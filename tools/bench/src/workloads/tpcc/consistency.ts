/** The consistency conditions of clause 3.3.2, all twelve. Nothing else may run meanwhile: each district is read at its own snapshot. */
import type { TransactionContext } from "@khonsu/core";
import { assertEqual, type TransactionStore, upTo } from "../workload.ts";
import { deliveredAtFirst } from "./load.ts";
import { readOrders } from "./orders.ts";
import type { Scale } from "./scale.ts";
import * as schema from "./schema.ts";
import { key } from "./schema.ts";

const READ_ONLY = { readOnly: true };

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
  for (const w of upTo(scale.warehouses)) {
    for (const d of upTo(scale.districts)) {
      const sums = await store.transact((tx) => paymentsAt(tx, w, d), READ_ONLY);
      for (const [payer, amount] of sums) paid.set(payer, (paid.get(payer) ?? 0) + amount);
    }
  }
  let found = 0;
  for (const w of upTo(scale.warehouses)) found += await checkWarehouse(store, w, scale, paid);
  assertEqual("3.3.2.11, orders delivered since the population", found, delivered);
}

async function paymentsAt(tx: TransactionContext, w: number, d: number): Promise<Paid> {
  const paid: Paid = new Map();
  const add = (payer: string, amount: number) => paid.set(payer, (paid.get(payer) ?? 0) + amount);
  for await (const [, batch] of tx.scan({ prefix: key.histories(w, d) })) {
    for (const row of schema.HISTORY.rows(batch)) {
      add(key.district(w, d), row.amount);
      add(key.customer(row.customerWarehouse, row.customerDistrict, row.customer), row.amount);
    }
  }
  return paid;
}

/** @returns how many orders were delivered since the population. */
async function checkWarehouse(store: TransactionStore, w: number, scale: Scale, paid: Paid): Promise<number> {
  const totals: DistrictTotals[] = [];
  for (const d of upTo(scale.districts))
    totals.push(await store.transact((tx) => checkDistrict(tx, w, d, scale, paid), READ_ONLY));
  const { ytd } = await store.transact(
    async (tx) => schema.YTD.row(await tx.read(key.warehouseYtd(w))),
    READ_ONLY,
  );
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
  const { nextOrder } = schema.NEXT_ORDER.row(await tx.read(key.nextOrder(w, d)));
  const { ytd } = schema.YTD.row(await tx.read(key.districtYtd(w, d)));
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
  let customers = 0;
  for await (const [customerKey, batch] of tx.scan({ prefix: key.customers(w, d) })) {
    const { customer, balance, ytdPayment } = schema.CUSTOMER.row(batch);
    customers++;
    const which = `of customer ${customer} of district ${d} of warehouse ${w}`;
    const delivered = owed.get(customer) ?? 0;
    assertEqual(`3.3.2.10, C_BALANCE ${which}`, balance, delivered - (paid.get(customerKey) ?? 0));
    assertEqual(`3.3.2.12, C_BALANCE and C_YTD_PAYMENT ${which}`, balance + ytdPayment, delivered);
  }
  assertEqual(`customers of district ${d} of warehouse ${w}`, customers, scale.customers);
}
