/** What ends `transact` from outside: a signal, a deadline, too many conflicts. */
import assert from "node:assert/strict";
import { one, valueIn } from "./batches.ts";
import { interleave } from "./interleave.ts";
import { type Cases, look, rejectsWith, run, setUp } from "./steps.ts";

const FOREVER = new Promise<never>(() => {});

export const ENDING_CASES: Cases = {
  "a signal ends a body that takes too long, with a rollback": async (stores) => {
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const calls: string[] = [];
    const running = run(
      stores,
      async (tx) => {
        tx.onRollback(() => void calls.push("rolled back"));
        tx.write("a", one(1));
        await tx.read("b");
        controller.abort(reason);
        await FOREVER;
      },
      { signal: controller.signal },
    );
    await assert.rejects(running, { code: "KHONSU_ABORTED", cause: reason });
    assert.deepEqual(calls, ["rolled back"]);
    assert.equal(await look(stores, "a"), undefined);
  },

  "a signal that was given before keeps the body from running": async (stores) => {
    let runs = 0;
    const running = run(stores, () => void runs++, { signal: AbortSignal.abort() });
    await rejectsWith(running, "KHONSU_ABORTED");
    assert.equal(runs, 0);
  },

  "a signal ends the wait of a retry": async (stores) => {
    const controller = new AbortController();
    const running = stores.first.transact(
      async (tx) => {
        tx.check((await tx.read("never")) !== undefined);
      },
      { signal: controller.signal },
    );
    running.catch(() => {});
    await look(stores, "never");
    controller.abort();
    await rejectsWith(stores.settle(running), "KHONSU_ABORTED");
  },

  "a deadline ends the wait of a retry, and a body that takes too long": async (stores) => {
    const waiting = run(
      stores,
      async (tx) => {
        tx.check((await tx.read("never")) !== undefined);
      },
      { timeout: 20 },
    );
    await rejectsWith(waiting, "KHONSU_TIMEOUT");
    let kept: { write(key: string, batch: ReturnType<typeof one>): void } | undefined;
    const slow = run(
      stores,
      async (tx) => {
        kept = tx;
        await FOREVER;
      },
      { timeout: 20 },
    );
    await rejectsWith(slow, "KHONSU_TIMEOUT");
    assert.throws(() => kept?.write("a", one(1)), { code: "KHONSU_TIMEOUT" });
  },

  "who conflicts too often is told with what": async (stores) => {
    await setUp(stores, { a: 1 });
    const failing = interleave(stores, {
      before: async (tx) => void (await tx.read("a")),
      other: (tx) => tx.write("a", one(2)),
      after: async (tx) => tx.write("a", one((valueIn(await tx.read("a")) ?? 0) + 10)),
      options: { maxRetries: 0 },
    });
    await assert.rejects(failing, (error: Record<string, unknown>) => {
      assert.equal(error.code, "KHONSU_RETRIES_EXHAUSTED");
      assert.equal(error.retryable, true);
      assert.equal((error.conflicts as { key: string }[])[0]?.key, "a");
      return true;
    });
    assert.equal(await look(stores, "a"), 2);
  },
};
