/** The payment transaction (clause 2.5): 15 in 100 pay for a customer of another warehouse. */
import type { TransactionContext } from "@khonsu/core";
import type { Prng } from "@khonsu/testkit/simulator";
import { NEW, readTogether } from "../workload.ts";
import { drawCustomer, drawLastName, drawRemote, type Scale } from "./scale.ts";
import * as schema from "./schema.ts";
import { key } from "./schema.ts";

/** A customer by number, or by last name. */
export type Who = number | string;

export interface Payment {
  readonly warehouse: number;
  readonly district: number;
  readonly customerWarehouse: number;
  readonly customerDistrict: number;
  readonly customer: Who;
  readonly amount: number;
  readonly date: number;
}

export function drawWho(random: Prng, scale: Scale): Who {
  return random.chance(0.6) ? drawLastName(random, scale) : drawCustomer(random, scale);
}

export function drawPayment(random: Prng, warehouse: number, date: number, scale: Scale): Payment {
  const district = random.integer(1, scale.districts);
  const isRemote = random.chance(0.15);
  return {
    warehouse,
    district,
    customerWarehouse: isRemote ? drawRemote(random, warehouse, scale) : warehouse,
    customerDistrict: isRemote ? random.integer(1, scale.districts) : district,
    customer: drawWho(random, scale),
    amount: random.integer(100, 500_000),
    date,
  };
}

export async function payment(tx: TransactionContext, paid: Payment): Promise<void> {
  const { warehouse: w, district: d, amount, date } = paid;
  const totals = [key.warehouseYtd(w), key.districtYtd(w, d)];
  await readTogether(tx, [key.warehouse(w), key.district(w, d), ...totals, customerKey(paid)]);
  const warehouse = schema.WAREHOUSE.row(await tx.read(key.warehouse(w)));
  const district = schema.DISTRICT.row(await tx.read(key.district(w, d)));
  for (const total of totals) {
    const { ytd } = schema.YTD.row(await tx.read(total));
    tx.write(total, schema.YTD.batch({ ytd: ytd + amount }));
  }
  const customer = await pay(tx, paid);
  const data = `${warehouse.name}    ${district.name}`;
  const { customerWarehouse, customerDistrict } = paid;
  const row = { customerWarehouse, customerDistrict, customer, amount, date, data };
  tx.write(key.history(w, d, date), schema.HISTORY.batch(row), NEW);
}

/** Where the customer is found: by number, or by name. */
function customerKey({ customerWarehouse: w, customerDistrict: d, customer }: Payment): string {
  return typeof customer === "number" ? key.customer(w, d, customer) : key.sameName(w, d, customer);
}

/** @returns the number of the customer who paid. */
async function pay(tx: TransactionContext, paid: Payment): Promise<number> {
  const { customerWarehouse: w, customerDistrict: d, amount } = paid;
  const c = await find(tx, w, d, paid.customer);
  const customer = schema.CUSTOMER.row(await tx.read(key.customer(w, d, c)));
  const note = `${c} ${d} ${w} ${paid.district} ${paid.warehouse} ${amount}|`;
  const changed = {
    ...customer,
    balance: customer.balance - amount,
    ytdPayment: customer.ytdPayment + amount,
    payments: customer.payments + 1,
    data: customer.credit === "BC" ? `${note}${customer.data}`.slice(0, 500) : customer.data,
  };
  tx.write(key.customer(w, d, c), schema.CUSTOMER.batch(changed));
  return c;
}

/** The customer of that number, or the one in the middle of those with that name. */
export async function find(tx: TransactionContext, w: number, d: number, who: Who): Promise<number> {
  if (typeof who === "number") return who;
  const same = schema.SAME_NAME.rows(await tx.read(key.sameName(w, d, who)));
  return same[Math.ceil(same.length / 2) - 1]!.customer;
}
