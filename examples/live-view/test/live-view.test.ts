import { Khonsu } from "@khonsu/core";
import { tableFromArrays } from "apache-arrow";
import { expect, test } from "vitest";
import { LiveView, STOCK_PREFIX } from "../src/live-view.ts";

function deliver(db: Khonsu, product: string, pieces: number): Promise<void> {
  const rows = tableFromArrays({ pieces: Int32Array.of(pieces) });
  return db.transact((tx) => tx.append(STOCK_PREFIX + product, rows));
}

test("the view equals what a scan finds, after commits before, during and after its opening", async () => {
  await using db = await Khonsu.open();
  await deliver(db, "lamp", 10);
  const view = await LiveView.open(db);
  await deliver(db, "chair", 4); // after the snapshot, before anybody watches
  const last = Promise.withResolvers<number>();
  const following = last.promise.then((timestamp) => view.follow(() => view.timestamp >= timestamp));
  await Promise.all([deliver(db, "lamp", -3), deliver(db, "table", 1), deliver(db, "lamp", 2)]);
  await db.transact((tx) => tx.delete(`${STOCK_PREFIX}table`));
  await db.transact((tx) => tx.write("order/1", tableFromArrays({ pieces: Int32Array.of(1) })));
  last.resolve(db.stats().lastCommit - 1);
  await following;
  expect(Object.fromEntries(view.totals)).toEqual({ "stock/chair": 4, "stock/lamp": 9 });
});

test("following ends by the signal", async () => {
  await using db = await Khonsu.open();
  const view = await LiveView.open(db);
  const controller = new AbortController();
  const following = view.follow(() => false, controller.signal);
  controller.abort();
  await expect(following).rejects.toMatchObject({ code: "KHONSU_ABORTED" });
});
