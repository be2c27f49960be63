/** The initial population (clause 4.3.3), scaled: seven tenths of the orders are delivered, the others are new. */
import type { TransactionContext } from "@khonsu/core";
import { Prng } from "@khonsu/testkit/simulator";
import { inTransactions, NEW, type TransactionStore, upTo } from "../workload.ts";
import { lastName, lastNames, type Scale } from "./scale.ts";
import * as schema from "./schema.ts";
import { ITEMS_A_BATCH, key } from "./schema.ts";

export const PAYMENT_CENTS = 1000;

export async function load(store: TransactionStore, scale: Scale): Promise<void> {
  const random = new Prng("tpcc").split("load");
  const names = namesakes(scale);
  for (const w of upTo(scale.warehouses)) {
    await store.transact(async (tx) => loadWarehouse(tx, w, scale, random));
    await loadItems(store, w, scale);
    await inTransactions(store, upTo(scale.items), (tx, item) => loadStock(tx, w, item, random));
    for (const d of upTo(scale.districts)) await loadDistrict(store, w, d, scale, names, random);
  }
}

function loadWarehouse(
  tx: TransactionContext,
  w: number,
  { districts, customers }: Scale,
  random: Prng,
): void {
  const tax = random.integer(0, 2000) / 10_000;
  tx.write(
    key.warehouse(w),
    schema.WAREHOUSE.batch({ name: `W${w}`, street: "Street 1", city: "Thebes", tax }),
    NEW,
  );
  tx.write(key.warehouseYtd(w), schema.YTD.batch({ ytd: districts * customers * PAYMENT_CENTS }), NEW);
}

/** The catalogue is the same in each warehouse. */
async function loadItems(store: TransactionStore, w: number, { items }: Scale): Promise<void> {
  const catalogue = new Prng("tpcc").split("items");
  const all = upTo(items).map((item) => ({
    item,
    image: catalogue.integer(1, 10_000),
    name: `item ${item}`,
    price: catalogue.integer(100, 10_000),
    data: catalogue.chance(0.1) ? "ORIGINAL goods of good quality" : "goods of good quality, new",
  }));
  const firsts = all.filter((_, index) => index % ITEMS_A_BATCH === 0);
  await inTransactions(store, firsts, (tx, { item }) =>
    tx.write(key.items(w, item), schema.ITEM.batch(...all.slice(item - 1, item - 1 + ITEMS_A_BATCH)), NEW),
  );
}

function loadStock(tx: TransactionContext, w: number, item: number, random: Prng): void {
  const data = random.chance(0.1) ? "ORIGINAL stock of good quality" : "stock of good quality, new";
  const stock = { quantity: random.integer(10, 100), ytd: 0, orders: 0, remoteOrders: 0, data };
  tx.write(
    key.stock(w, item),
    schema.STOCK.batch({ ...stock, districtInfo: `stock of item ${item}`.padEnd(24) }),
    NEW,
  );
}

async function loadDistrict(
  store: TransactionStore,
  w: number,
  d: number,
  scale: Scale,
  names: Namesakes,
  random: Prng,
): Promise<void> {
  const { customers } = scale;
  const district = {
    name: `D${d}`,
    street: "Street 1",
    city: "Thebes",
    tax: random.integer(0, 2000) / 10_000,
  };
  await store.transact(async (tx) => {
    tx.write(key.district(w, d), schema.DISTRICT.batch(district), NEW);
    tx.write(key.districtYtd(w, d), schema.YTD.batch({ ytd: customers * PAYMENT_CENTS }), NEW);
    tx.write(key.nextOrder(w, d), schema.NEXT_ORDER.batch({ nextOrder: customers + 1 }), NEW);
    tx.write(key.history(w, d, 0), schema.HISTORY.batch(...firstPayments(w, d, customers)), NEW);
  });
  await inTransactions(store, [...names], (tx, [name, same]) =>
    tx.write(
      key.sameName(w, d, name),
      schema.SAME_NAME.batch(...same.map((customer) => ({ customer }))),
      NEW,
    ),
  );
  const buyers = random.shuffled(upTo(customers));
  await inTransactions(store, upTo(customers), (tx, c) => loadCustomer(tx, w, d, c, scale, random));
  await inTransactions(store, upTo(customers), (tx, o) =>
    loadOrder(tx, w, d, o, buyers[o - 1]!, scale, random),
  );
}

function firstPayments(w: number, d: number, customers: number) {
  return upTo(customers).map((customer) => ({
    customerWarehouse: w,
    customerDistrict: d,
    customer,
    amount: PAYMENT_CENTS,
    date: 1,
    data: "initial payment",
  }));
}

/** The customers of a district by their last name, by number, which is the order of their first names. */
type Namesakes = ReadonlyMap<string, readonly number[]>;

function namesakes(scale: Scale): Namesakes {
  return Map.groupBy(upTo(scale.customers), (customer) => nameOf(customer, scale));
}

function nameOf(customer: number, scale: Scale): string {
  return lastName((customer - 1) % lastNames(scale));
}

function loadCustomer(
  tx: TransactionContext,
  w: number,
  d: number,
  c: number,
  scale: Scale,
  random: Prng,
): void {
  const customer = {
    customer: c,
    first: `first ${c.toString().padStart(4, "0")}`,
    last: nameOf(c, scale),
    street: "Street 1",
    city: "Thebes",
    credit: random.chance(0.1) ? "BC" : "GC",
    discount: random.integer(0, 5000) / 10_000,
    balance: -PAYMENT_CENTS,
    ytdPayment: PAYMENT_CENTS,
    payments: 1,
    deliveries: 0,
    data: "a customer of long standing".padEnd(300, "."),
  };
  tx.write(key.customer(w, d, c), schema.CUSTOMER.batch(customer), NEW);
}

/** The first delivered orders cost nothing, so that balances agree with deliveries (clause 3.3.2.10). */
function loadOrder(
  tx: TransactionContext,
  w: number,
  d: number,
  o: number,
  customer: number,
  { customers, items }: Scale,
  random: Prng,
): void {
  const isDelivered = o <= deliveredAtFirst(customers);
  const lines = upTo(random.integer(5, 15)).map(() => ({
    item: random.integer(1, items),
    supplier: w,
    deliveredAt: isDelivered ? 1 : 0,
    quantity: 5,
    amount: isDelivered ? 0 : random.integer(1, 999_999),
    districtInfo: "district".padEnd(24),
  }));
  const carrier = isDelivered ? random.integer(1, 10) : 0;
  tx.write(
    key.order(w, d, o),
    schema.ORDER.batch({ customer, date: 1, carrier, lines: lines.length, isAllLocal: 1 }),
    NEW,
  );
  tx.write(key.lines(w, d, o), schema.ORDER_LINE.batch(...lines), NEW);
  tx.write(key.lastOrder(w, d, customer), schema.LAST_ORDER.batch({ order: o }), NEW);
  if (!isDelivered) tx.write(key.newOrder(w, d, o), schema.NEW_ORDER.batch({ order: o }), NEW);
}

/** How many orders of a district are delivered at first. */
export function deliveredAtFirst(customers: number): number {
  return Math.floor(customers * 0.7);
}
