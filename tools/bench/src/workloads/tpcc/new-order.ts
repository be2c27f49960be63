/** The new-order transaction (clause 2.4): the backbone of the workload, one in a hundred of which is rolled back by its user. */
import type { TransactionContext } from "@khonsu/core";
import type { Prng } from "@khonsu/testkit/simulator";
import { readTogether } from "../workload.ts";
import { drawCustomer, drawItem, drawRemote, type Scale } from "./scale.ts";
import * as schema from "./schema.ts";
import { ITEMS_A_BATCH, key } from "./schema.ts";

interface Wanted {
  readonly item: number;
  readonly supplier: number;
  readonly quantity: number;
}

export interface NewOrder {
  readonly warehouse: number;
  readonly district: number;
  readonly customer: number;
  readonly date: number;
  readonly wanted: readonly Wanted[];
}

/** The user asks for an item that there is not, and the transaction is rolled back (clause 2.4.2.3). */
export class UnusedItem extends Error {}

export function drawNewOrder(random: Prng, warehouse: number, date: number, scale: Scale): NewOrder {
  const lines = random.integer(5, 15);
  const isMistaken = random.chance(0.01);
  const wanted = Array.from({ length: lines }, (_, index) => ({
    item: isMistaken && index === lines - 1 ? 0 : drawItem(random, scale),
    supplier: random.chance(0.01) ? drawRemote(random, warehouse, scale) : warehouse,
    quantity: random.integer(1, 10),
  }));
  const district = random.integer(1, scale.districts);
  return { warehouse, district, customer: drawCustomer(random, scale), date, wanted };
}

/** @throws UnusedItem where an item does not exist. */
export async function newOrder(tx: TransactionContext, order: NewOrder): Promise<void> {
  const { warehouse: w, district: d, customer, date, wanted } = order;
  await readTogether(tx, keysOf(order));
  schema.WAREHOUSE.row(await tx.read(key.warehouse(w)));
  schema.DISTRICT.row(await tx.read(key.district(w, d)));
  schema.CUSTOMER.row(await tx.read(key.customer(w, d, customer)));
  const { nextOrder: o } = schema.NEXT_ORDER.row(await tx.read(key.nextOrder(w, d)));
  tx.write(key.nextOrder(w, d), schema.NEXT_ORDER.batch({ nextOrder: o + 1 }));
  const lines = [];
  for (const each of wanted) lines.push(await orderLine(tx, w, each));
  const isAllLocal = wanted.every(({ supplier }) => supplier === w) ? 1 : 0;
  tx.write(
    key.order(w, d, o),
    schema.ORDER.batch({ customer, date, carrier: 0, lines: lines.length, isAllLocal }),
  );
  tx.write(key.lines(w, d, o), schema.ORDER_LINE.batch(...lines));
  tx.write(key.newOrder(w, d, o), schema.NEW_ORDER.batch({ order: o }));
  tx.write(key.lastOrder(w, d, customer), schema.LAST_ORDER.batch({ order: o }));
}

/** What a new order reads; an item that there is not has neither price nor stock. */
function keysOf({ warehouse: w, district: d, customer, wanted }: NewOrder): string[] {
  const known = wanted.filter(({ item }) => item !== 0);
  return [
    key.warehouse(w),
    key.district(w, d),
    key.customer(w, d, customer),
    key.nextOrder(w, d),
    ...known.map(({ item }) => key.items(w, item)),
    ...known.map(({ item, supplier }) => key.stock(supplier, item)),
  ];
}

async function orderLine(tx: TransactionContext, w: number, { item, supplier, quantity }: Wanted) {
  if (item === 0) throw new UnusedItem("Item number is not valid");
  const { price } = schema.ITEM.row(await tx.read(key.items(w, item)), (item - 1) % ITEMS_A_BATCH);
  const stock = schema.STOCK.row(await tx.read(key.stock(supplier, item)));
  const left = stock.quantity - quantity;
  const taken = {
    ...stock,
    quantity: left >= 10 ? left : left + 91,
    ytd: stock.ytd + quantity,
    orders: stock.orders + 1,
    remoteOrders: stock.remoteOrders + (supplier === w ? 0 : 1),
  };
  tx.write(key.stock(supplier, item), schema.STOCK.batch(taken));
  return {
    item,
    supplier,
    deliveredAt: 0,
    quantity,
    amount: quantity * price,
    districtInfo: stock.districtInfo,
  };
}
