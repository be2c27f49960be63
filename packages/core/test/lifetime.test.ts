/** How a transaction ends, and that nothing of it remains: hooks, errors, signals, timeouts, attempts, forgotten handles. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Khonsu, type LeakReport, type Transaction } from "../src/index.ts";
import { rows, valueIn } from "./batches.ts";
import { settle, VirtualRuntime } from "./virtual-runtime.ts";

function expectNothingOpen(db: Khonsu): void {
  expect(db.stats()).toMatchObject({
    openTransactions: 0,
    trackedTransactions: 0,
    trackedRanges: 0,
    parkedTransactions: 0,
    oldestSnapshotAge: 0,
  });
  expect(db.stats().versions).toBe(db.stats().keys);
}

interface Ending {
  readonly what: string;
  readonly code: string | undefined;
  readonly end: (abort: AbortController, runtime: VirtualRuntime, gate: PromiseWithResolvers<void>) => void;
}

const ENDINGS: readonly Ending[] = [
  {
    what: "throws",
    code: undefined,
    end: (_abort, _runtime, gate) => gate.reject(new Error("from the body")),
  },
  { what: "is aborted by its signal", code: "KHONSU_ABORTED", end: (abort) => abort.abort() },
  { what: "times out", code: "KHONSU_TIMEOUT", end: (_abort, runtime) => runtime.advance(50) },
];

test.each(ENDINGS)(
  "a body that $what between two awaits is rolled back, and goes no further",
  async ({ code, end }) => {
    const runtime = new VirtualRuntime();
    await using db = await Khonsu.open({ runtime });
    await db.transact((tx) => tx.write("a", rows(1)));
    const abort = new AbortController();
    const gate = Promise.withResolvers<void>();
    const after = Promise.withResolvers<unknown>();
    let rolledBack = 0;
    const run = db.transact(
      async (tx) => {
        tx.read("a");
        tx.read("absent");
        [...tx.scan({ prefix: "range/" })];
        tx.write("a", rows(2));
        tx.onRollback(() => rolledBack++);
        try {
          await gate.promise;
        } finally {
          after.resolve(attempt(() => tx.write("a", rows(3))));
        }
      },
      { signal: abort.signal, timeout: 50 },
    );
    await settle();
    expect(db.stats().trackedTransactions).toBe(1);
    end(abort, runtime, gate);
    await expect(run).rejects.toMatchObject(code === undefined ? { message: "from the body" } : { code });
    expectNothingOpen(db);
    expect(rolledBack).toBe(1);
    gate.resolve();
    if (code !== undefined) expect(await after.promise).toBe(code);
    expect(await db.transact((tx) => valueIn(tx.read("a")))).toBe(1);
    expect(runtime.timers).toBe(0);
  },
);

function attempt(run: () => void): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

test("a transaction that leaves its scope uncommitted is rolled back", async () => {
  await using db = await Khonsu.open();
  const ended: string[] = [];
  {
    using tx = db.begin();
    tx.write("a", rows(1));
    tx.onRollback(() => ended.push("rolled back"));
  }
  {
    await using tx = db.begin();
    tx.write("b", rows(1));
    tx.onCommit(() => ended.push("committed"));
    await tx.commit();
  }
  expect(ended).toEqual(["rolled back", "committed"]);
  expect(await db.transact((tx) => [tx.has("a"), tx.has("b")])).toEqual([false, true]);
  expectNothingOpen(db);
});

test("hooks run in order, each once, and those of what was undone do not run on commit", async () => {
  await using db = await Khonsu.open();
  const ran: string[] = [];
  const hooks = (tx: Transaction, name: string) => {
    tx.onCommit((timestamp) => ran.push(`${name} committed at ${timestamp}`));
    tx.onRollback(() => ran.push(`${name} rolled back`));
  };
  await db.transact((tx) => {
    tx.write("a", rows(1));
    hooks(tx, "outer");
    tx.savepoint("s");
    hooks(tx, "undone");
    tx.rollbackTo("s");
    expect(() =>
      tx.nested((inner) => {
        hooks(inner, "failed");
        throw new Error("from the nested one");
      }),
    ).toThrow("from the nested one");
    tx.nested((inner) => hooks(inner, "nested"));
  });
  expect(ran).toEqual([
    "undone rolled back",
    "failed rolled back",
    "outer committed at 1",
    "nested committed at 1",
  ]);
});

test("every attempt that conflicts runs its own rollback hooks", async () => {
  await using db = await Khonsu.open();
  await db.transact((tx) => tx.write("a", rows(0)));
  const ran: string[] = [];
  let attempts = 0;
  await db.transact(async (tx) => {
    const name = `attempt ${++attempts}`;
    tx.onRollback(() => ran.push(`${name} rolled back`));
    tx.onCommit(() => ran.push(`${name} committed`));
    tx.update("a", () => rows(attempts));
    if (attempts < 3) await db.transact((other) => other.write("a", rows(100)));
  });
  expect(ran).toEqual(["attempt 1 rolled back", "attempt 2 rolled back", "attempt 3 committed"]);
  expect(db.stats()).toMatchObject({ retries: 2, rollbacks: 2, conflicts: { writeWrite: 2 } });
  expectNothingOpen(db);
});

test("all hooks run though one throws, and the commit stands", async () => {
  await using db = await Khonsu.open();
  const ran: string[] = [];
  const failing = db.transact((tx) => {
    tx.write("a", rows(1));
    tx.onCommit(() => {
      throw new Error("from the hook");
    });
    tx.onCommit(() => ran.push("second"));
  });
  await expect(failing).rejects.toMatchObject({
    code: "KHONSU_HOOK_FAILED",
    retryable: false,
    cause: { message: "from the hook" },
  });
  expect(ran).toEqual(["second"]);
  expect(await db.transact((tx) => tx.has("a"))).toBe(true);
});

test("attempts back off: eight retries at once, then after a random time below a limit that doubles up to 50 ms", async () => {
  const runtime = new VirtualRuntime();
  const delays: number[] = [];
  const { schedule } = VirtualRuntime.prototype;
  runtime.schedule = (milliseconds, run) => {
    delays.push(milliseconds);
    const cancel = schedule.call(runtime, milliseconds, run);
    queueMicrotask(() => runtime.advance(milliseconds));
    return cancel;
  };
  await using db = await Khonsu.open({ runtime });
  await db.transact((tx) => tx.write("a", rows(0)));
  const run = db.transact(
    async (tx) => {
      tx.update("a", () => rows(1));
      await db.transact((other) => other.write("a", rows(2)));
    },
    { maxRetries: 17 },
  );
  await expect(run).rejects.toMatchObject({
    code: "KHONSU_RETRIES_EXHAUSTED",
    retryable: true,
    conflicts: [{ kind: "write-write", key: "a" }],
    cause: { code: "KHONSU_WRITE_CONFLICT" },
  });
  expect(delays).toEqual([0.5, 1, 2, 4, 8, 16, 25, 25, 25]);
  expect(runtime.timers).toBe(0);
});

test("a signal ends the wait between two attempts", async () => {
  const runtime = new VirtualRuntime();
  await using db = await Khonsu.open({ runtime });
  await db.transact((tx) => tx.write("a", rows(0)));
  const abort = new AbortController();
  const run = db.transact(
    async (tx) => {
      tx.update("a", () => rows(1));
      await db.transact((other) => other.write("a", rows(2)));
    },
    { signal: abort.signal },
  );
  for (let attempt = 0; attempt < 10; attempt++) await settle();
  expect(runtime.timers).toBe(1);
  abort.abort();
  await expect(run).rejects.toMatchObject({ code: "KHONSU_ABORTED" });
  expect(runtime.timers).toBe(0);
  expectNothingOpen(db);
});

test("ids are unique over stores, and a committed transaction knows its timestamp", async () => {
  const ids = new Set<string>();
  for (let store = 0; store < 3; store++) {
    await using db = await Khonsu.open();
    for (let each = 0; each < 10; each++) {
      const tx = db.begin();
      ids.add(tx.id);
      tx.write("a", rows(each));
      expect(await tx.commit()).toBe(each + 1);
      expect(tx.commitTimestamp).toBe(each + 1);
    }
  }
  expect(ids.size).toBe(30);
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** The garbage collector, and then what it has to tell. */
async function collect(until: () => boolean): Promise<void> {
  for (let attempts = 0; attempts < 200 && !until(); attempts++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("a transaction that was forgotten is reported once, with where it began, and rolled back", async () => {
  const leaks: LeakReport[] = [];
  await using db = await Khonsu.open({ onLeak: (leak) => leaks.push(leak), detectLeaks: true });
  let rolledBack = 0;
  const forgetfulFunction = (): string => {
    const tx = db.begin();
    tx.write("a", rows(1));
    tx.onRollback(() => rolledBack++);
    return tx.id;
  };
  const id = forgetfulFunction();
  await collect(() => leaks.length > 0);
  expect(leaks).toHaveLength(1);
  expect(leaks[0]!.transactionId).toBe(id);
  expect(leaks[0]!.begunAt).toContain("forgetfulFunction");
  expect(rolledBack).toBe(1);
  expectNothingOpen(db);
});

test("a forgotten transaction whose rollback hook throws is reported", async () => {
  const leaks: LeakReport[] = [];
  await using db = await Khonsu.open({ onLeak: (leak) => leaks.push(leak), detectLeaks: true });
  (() => {
    db.begin().onRollback(() => {
      throw new Error("from the hook");
    });
  })();
  await collect(() => leaks.length > 0);
  expect(leaks).toHaveLength(1);
  expectNothingOpen(db);
});

test("transactions that have ended, and those still held, are not reported", async () => {
  const leaks: LeakReport[] = [];
  await using db = await Khonsu.open({ onLeak: (leak) => leaks.push(leak), detectLeaks: true });
  const held = db.begin();
  await (async () => {
    await db.begin().commit();
    db.begin().rollback();
  })();
  const canary = { isGone: false };
  const registry = new FinalizationRegistry<typeof canary>((each) => {
    each.isGone = true;
  });
  (() => registry.register({}, canary))();
  await collect(() => canary.isGone);
  expect(canary.isGone).toBe(true);
  expect(leaks).toEqual([]);
  expect(held.status).toBe("open");
});
