/** What is not to be done with a transaction: told by its code, at once, and without harm. */
import assert from "node:assert/strict";
import type { OpenTransaction, TransactionContext } from "@khonsu/core";
import { one } from "./batches.ts";
import { type Cases, look, rejectsWith, run, setUp } from "./steps.ts";
import type { SuiteStores, SuiteTransactOptions } from "./store.ts";

const busy = { code: "KHONSU_TRANSACTION_BUSY" };

/** Options that TypeScript would refuse. */
function wrong(options: Record<string, unknown>): SuiteTransactOptions {
  return options as SuiteTransactOptions;
}

async function refusesOptions(stores: SuiteStores, options: Record<string, unknown>): Promise<void> {
  const running = Promise.resolve().then(() => run(stores, (tx) => tx.write("a", one(1)), wrong(options)));
  await rejectsWith(running, "KHONSU_INVALID_OPTION");
}

export const MISUSE_CASES: Cases = {
  "the outer handle may not be used while a nested transaction runs, nor the inner one afterwards": async (
    stores,
  ) => {
    await run(stores, async (tx) => {
      let kept: TransactionContext | undefined;
      await tx.nested(async (inner) => {
        kept = inner;
        assert.throws(() => tx.write("a", one(1)), busy);
        await assert.rejects(async () => tx.read("a"), busy);
        assert.throws(() => tx.savepoint("here"), busy);
        inner.write("a", one(2));
        await inner.read("b");
      });
      assert.throws(() => kept?.write("a", one(3)), busy);
      assert.throws(() => kept?.nested(() => {}), busy);
      tx.write("b", one(4));
    });
    assert.deepEqual([await look(stores, "a"), await look(stores, "b")], [2, 4]);
  },

  "nested transactions that run at the same time end the whole": async (stores) => {
    const slow = run(stores, async (tx) => {
      const open: Promise<void>[] = [];
      open.push(
        tx.nested(async (inner) => {
          await null;
          await inner.read("a");
        }),
      );
      open.push(Promise.resolve().then(() => tx.nested(async () => {})));
      await Promise.all(open);
    });
    await rejectsWith(slow, "KHONSU_TRANSACTION_BUSY");
  },

  "a nested transaction that outlives the one around it ends both": async (stores) => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let inner: Promise<void> | undefined;
    const failing = run(stores, async (tx) => {
      await tx.nested(async (middle) => {
        inner = middle.nested(async (innermost) => {
          innermost.write("a", one(1));
          await held;
        });
        inner.catch(() => {});
      });
    });
    await rejectsWith(failing, "KHONSU_TRANSACTION_BUSY");
    release();
    await inner;
    assert.equal(await look(stores, "a"), undefined);
  },

  "transact alone commits and rolls back what it runs": async (stores) => {
    await run(stores, async (tx) => {
      const managed = tx as OpenTransaction;
      await assert.rejects(async () => managed.commit(), busy);
      assert.throws(() => managed.rollback(), busy);
      tx.write("a", one(1));
    });
    assert.equal(await look(stores, "a"), 1);
  },

  "a handle cannot be used after its transaction": async (stores) => {
    let kept: TransactionContext | undefined;
    await run(stores, (tx) => {
      kept = tx;
      tx.write("a", one(1));
    });
    const closed = { code: "KHONSU_TRANSACTION_CLOSED" };
    assert.throws(() => kept?.write("a", one(2)), closed);
    await assert.rejects(async () => kept?.read("a"), closed);
    assert.throws(() => kept?.onCommit(() => {}), closed);
    assert.equal(await look(stores, "a"), 1);
  },

  "options that cannot be are refused before anything happens": async (stores) => {
    await refusesOptions(stores, { isolation: "chaos" });
    await refusesOptions(stores, { onConflict: "shrug" });
    await refusesOptions(stores, { keyColumn: 7 });
    await refusesOptions(stores, { maxRetries: -1 });
    await refusesOptions(stores, { timeout: Number.NaN });
    await run(stores, async (tx) => {
      for (const limit of [-1, 1.5]) {
        await assert.rejects(
          async () => {
            for await (const _ of tx.scan({ limit }));
          },
          { code: "KHONSU_INVALID_OPTION" },
        );
      }
      const contradiction = { ifAbsent: true, ifVersion: 1 as never };
      assert.throws(() => tx.write("a", one(1), contradiction), { code: "KHONSU_INVALID_OPTION" });
      assert.throws(() => tx.upsert("a", one(1), { keyColumn: null }), { code: "KHONSU_INVALID_OPTION" });
    });
    assert.equal(await look(stores, "a"), undefined);
  },

  "what a read-only transaction may not do is refused before its input is looked at": async (stores) => {
    await setUp(stores, { a: 1 });
    const body = (tx: TransactionContext) => tx.write("", {} as never);
    await rejectsWith(run(stores, body, { readOnly: true }), "KHONSU_READ_ONLY");
  },

  "a hook that throws is told, and the transaction has committed": async (stores) => {
    const calls: string[] = [];
    const failing = run(stores, (tx) => {
      tx.onCommit(() => {
        throw new Error("no");
      });
      tx.onCommit(() => void calls.push("the next one runs"));
      tx.write("a", one(1));
    });
    await rejectsWith(failing, "KHONSU_HOOK_FAILED");
    assert.deepEqual(calls, ["the next one runs"]);
    assert.equal(await look(stores, "a"), 1);
  },

  "hooks of a nested transaction that is undone run then, and only its own": async (stores) => {
    const calls: string[] = [];
    await run(stores, async (tx) => {
      tx.onRollback(() => void calls.push("outer rolled back"));
      const failing = async () =>
        tx.nested(async (inner) => {
          inner.onCommit(() => void calls.push("inner committed"));
          inner.onRollback(() => void calls.push("inner rolled back"));
          throw new Error("enough");
        });
      await assert.rejects(failing);
      tx.onCommit(() => void calls.push("outer committed"));
    });
    assert.deepEqual(calls, ["inner rolled back", "outer committed"]);
  },

  "who has read nothing cannot wait for a change": async (stores) => {
    await rejectsWith(
      run(stores, (tx) => tx.retry()),
      "KHONSU_RETRY_WITHOUT_READS",
    );
  },
};
