/**
 * The tables of TPC-C (revision 5.11, clause 1.3) as keys and Arrow batches. Each key begins with its warehouse and "/", which is the
 * placement prefix: all of a warehouse is in one shard. A row is a key, except where rows are read together and never change one
 * by one: the lines of an order are one batch, items come by the ten. As clause 1.4 allows, what changes of a warehouse and of a
 * district stands apart from what does not, so that payments do not conflict with new orders, and the catalogue of items,
 * which never changes, is there once a warehouse. Columns that no transaction tells apart are fewer: one address line and city, one text
 * in place of the ten S_DIST_xx.
 */
import { RecordType } from "../record-type.ts";

export const WAREHOUSE = new RecordType({ name: "utf8", street: "utf8", city: "utf8", tax: "float64" });
export const DISTRICT = new RecordType({ name: "utf8", street: "utf8", city: "utf8", tax: "float64" });
/** W_YTD of a warehouse, or D_YTD of a district. */
export const YTD = new RecordType({ ytd: "float64" });
/** D_NEXT_O_ID. */
export const NEXT_ORDER = new RecordType({ nextOrder: "int32" });
export const CUSTOMER = new RecordType({
  customer: "int32",
  first: "utf8",
  last: "utf8",
  street: "utf8",
  city: "utf8",
  credit: "utf8",
  discount: "float64",
  balance: "float64",
  ytdPayment: "float64",
  payments: "int32",
  deliveries: "int32",
  data: "utf8",
});
/** The customers of a district that share a last name, by first name. */
export const SAME_NAME = new RecordType({ customer: "int32" });
/** The customer and where he is at home; where he paid is in the key. The first payments of a district are one batch. */
export const HISTORY = new RecordType({
  customerWarehouse: "int32",
  customerDistrict: "int32",
  customer: "int32",
  amount: "float64",
  date: "float64",
  data: "utf8",
});
export const NEW_ORDER = new RecordType({ order: "int32" });
/** `carrier` 0: not delivered yet. */
export const ORDER = new RecordType({
  customer: "int32",
  date: "float64",
  carrier: "int32",
  lines: "int32",
  isAllLocal: "int32",
});
/** `deliveredAt` 0: not delivered yet. */
export const ORDER_LINE = new RecordType({
  item: "int32",
  supplier: "int32",
  deliveredAt: "float64",
  quantity: "int32",
  amount: "float64",
  districtInfo: "utf8",
});
/** The newest order of a customer: the index that order-status calls for. */
export const LAST_ORDER = new RecordType({ order: "int32" });
export const ITEM = new RecordType({
  item: "int32",
  image: "int32",
  name: "utf8",
  price: "float64",
  data: "utf8",
});
export const STOCK = new RecordType({
  quantity: "int32",
  ytd: "float64",
  orders: "int32",
  remoteOrders: "int32",
  districtInfo: "utf8",
  data: "utf8",
});

export const ITEMS_A_BATCH = 10;

const padded = (number: number) => number.toString().padStart(10, "0");

export const key = {
  warehouse: (w: number) => `w${w}/warehouse`,
  warehouseYtd: (w: number) => `w${w}/ytd`,
  district: (w: number, d: number) => `w${w}/district/${d}`,
  districtYtd: (w: number, d: number) => `w${w}/ytd/${d}`,
  nextOrder: (w: number, d: number) => `w${w}/next/${d}`,
  customer: (w: number, d: number, c: number) => `w${w}/customer/${d}/${c}`,
  customers: (w: number, d: number) => `w${w}/customer/${d}/`,
  sameName: (w: number, d: number, last: string) => `w${w}/name/${d}/${last}`,
  lastOrder: (w: number, d: number, c: number) => `w${w}/last/${d}/${c}`,
  histories: (w: number, d: number) => `w${w}/history/${d}/`,
  /** @param date of the payment, which no other has; 0 for the first ones */
  history: (w: number, d: number, date: number) => `w${w}/history/${d}/${padded(date)}`,
  newOrders: (w: number, d: number) => `w${w}/new/${d}/`,
  newOrder: (w: number, d: number, o: number) => `w${w}/new/${d}/${padded(o)}`,
  orders: (w: number, d: number) => `w${w}/order/${d}/`,
  order: (w: number, d: number, o: number) => `w${w}/order/${d}/${padded(o)}`,
  lines: (w: number, d: number, o: number) => `w${w}/lines/${d}/${padded(o)}`,
  allLines: (w: number, d: number) => `w${w}/lines/${d}/`,
  items: (w: number, item: number) => `w${w}/items/${Math.floor((item - 1) / ITEMS_A_BATCH)}`,
  stock: (w: number, item: number) => `w${w}/stock/${item}`,
};

/** The number at the end of a key of an order. */
export function orderOf(orderKey: string): number {
  return Number(orderKey.slice(orderKey.lastIndexOf("/") + 1));
}
