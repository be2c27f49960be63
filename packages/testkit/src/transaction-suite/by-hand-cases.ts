/** Transactions that are begun, committed and rolled back by hand. */
import assert from "node:assert/strict";
import { one, rowsIn, valueIn } from "./batches.ts";
import { type Cases, look, rejectsWith, setUp } from "./steps.ts";

export const BY_HAND_CASES: Cases = {
  "a transaction begun by hand commits once, and says when": async (stores) => {
    const tx = stores.first.begin();
    tx.write("a", one(1));
    assert.equal(tx.status, "open");
    assert.equal(await look(stores, "a"), undefined);
    const timestamp = await stores.settle(tx.commit());
    assert.ok(timestamp > 0);
    assert.deepEqual([tx.status, tx.commitTimestamp], ["committed", timestamp]);
    assert.equal(await look(stores, "a"), 1);
    await rejectsWith(stores.settle(tx.commit()), "KHONSU_TRANSACTION_CLOSED");
    assert.throws(() => tx.write("a", one(2)), { code: "KHONSU_TRANSACTION_CLOSED" });
    assert.throws(() => tx.rollback(), { code: "KHONSU_TRANSACTION_CLOSED" });
  },

  "a transaction begun by hand rolls back when asked to, and at the end of its scope": async (stores) => {
    const calls: string[] = [];
    const asked = stores.first.begin();
    asked.onRollback(() => void calls.push("asked"));
    asked.write("a", one(1));
    asked.rollback();
    asked.rollback();
    assert.equal(asked.status, "rolled back");
    {
      using tx = stores.first.begin();
      tx.onRollback(() => void calls.push("left"));
      tx.write("a", one(2));
    }
    {
      await using tx = stores.first.begin();
      tx.onRollback(() => void calls.push("left and awaited"));
      tx.write("a", one(3));
    }
    {
      using tx = stores.first.begin();
      tx.onRollback(() => void calls.push("not this one"));
      tx.write("b", one(4));
      await stores.settle(tx.commit());
    }
    assert.deepEqual(calls, ["asked", "left", "left and awaited"]);
    assert.deepEqual([await look(stores, "a"), await look(stores, "b")], [undefined, 4]);
  },

  "a transaction begun by hand is told of its conflict, and is rolled back": async (stores) => {
    await setUp(stores, { a: 1 });
    let isRolledBack = false;
    const tx = stores.first.begin();
    tx.onRollback(() => {
      isRolledBack = true;
    });
    const before = valueIn(await stores.settle(Promise.resolve(tx.read("a"))));
    await stores.settle(stores.second.transact((other) => other.write("a", one(2))));
    tx.write("a", one((before ?? 0) + 10));
    await assert.rejects(stores.settle(tx.commit()), (error: Record<string, unknown>) => {
      assert.equal(error.retryable, true);
      assert.ok(["KHONSU_WRITE_CONFLICT", "KHONSU_SERIALIZATION_FAILURE"].includes(String(error.code)));
      assert.deepEqual((error.conflicts as { key: string }[])[0]?.key, "a");
      return true;
    });
    assert.deepEqual([tx.status, isRolledBack], ["rolled back", true]);
    assert.equal(await look(stores, "a"), 2);
  },

  "a transaction begun by hand that only reads commits as well": async (stores) => {
    await setUp(stores, { a: 1 });
    await using tx = stores.first.begin({ readOnly: true });
    assert.equal(valueIn(await stores.settle(Promise.resolve(tx.read("a")))), 1);
    assert.throws(() => tx.write("a", one(2)), { code: "KHONSU_READ_ONLY" });
    await stores.settle(tx.commit());
    assert.equal(tx.status, "committed");
  },

  "the keys whose writes were dropped are told": async (stores) => {
    await setUp(stores, { a: 1 });
    const resolutions = ["ignore", () => "drop" as const] as const;
    for (const onConflict of resolutions) {
      await using tx = stores.first.begin({ isolation: "repeatable-read", onConflict });
      await stores.settle(Promise.resolve(tx.read("a")));
      await stores.settle(stores.second.transact((other) => other.write("a", one(2))));
      tx.write("a", one(3));
      tx.write("b", one(3));
      assert.deepEqual(tx.ignoredKeys, []);
      await stores.settle(tx.commit());
      assert.deepEqual(tx.ignoredKeys, ["a"]);
      assert.deepEqual([await look(stores, "a"), await look(stores, "b")], [2, 3]);
    }
  },

  "who began by hand cannot retry, and has nested transactions and savepoints all the same": async (
    stores,
  ) => {
    await using tx = stores.first.begin();
    assert.throws(() => tx.retry(), { code: "KHONSU_RETRY_OUTSIDE_TRANSACT" });
    tx.nested((inner) => inner.append("a", one(1)));
    tx.savepoint("here");
    tx.append("a", one(2));
    tx.rollbackTo("here");
    await stores.settle(tx.commit());
    const seen = await stores.settle(stores.second.transact(async (other) => rowsIn(await other.read("a"))));
    assert.deepEqual(seen, [[1, 1]]);
  },
};
