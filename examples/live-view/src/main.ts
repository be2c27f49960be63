/** Deliveries and sales change the stock; the view prints what it sees after each commit. */
import { Khonsu, type Transaction } from "@khonsu/core";
import { tableFromArrays } from "apache-arrow";
import { LiveView, STOCK_PREFIX } from "./live-view.ts";

await using db = await Khonsu.open();
const deliver = (product: string, pieces: number) => (tx: Transaction) =>
  tx.append(STOCK_PREFIX + product, tableFromArrays({ pieces: Int32Array.of(pieces) }));

await db.transact(deliver("lamp", 10));
const view = await LiveView.open(db);

const following = view.follow(({ timestamp, totals }) => {
  console.log(`after commit ${timestamp}:`, Object.fromEntries(totals));
  return !totals.has(`${STOCK_PREFIX}lamp`);
});
await db.transact(deliver("chair", 4));
await db.transact(deliver("lamp", -3));
await db.transact((tx) => tx.delete(`${STOCK_PREFIX}lamp`));
await following;
