/**
 * The semantics of transactions, for every store that offers `TransactionContext`: reads of one's own writes, snapshots,
 * the three isolation levels, conflict resolution, composition. The same cases run against an embedded store and against a
 * cluster, so that code moves from one to the other unchanged. Cases that differ between them have no place here.
 */
import assert from "node:assert/strict";
import type { TransactionContext } from "@khonsu/core";
import { one, rows, rowsIn, valueIn } from "./batches.ts";
import { BY_HAND_CASES } from "./by-hand-cases.ts";
import { ENDING_CASES } from "./ending-cases.ts";
import { interleave } from "./interleave.ts";
import { MISUSE_CASES } from "./misuse-cases.ts";
import { type Cases, keysOf, look, rejectsWith, run, setUp } from "./steps.ts";
import type { SuiteStore, SuiteStores } from "./store.ts";

export type { SuiteStore, SuiteStores };

export interface TransactionSuiteOptions {
  /** The test function of the runner. */
  readonly test: (name: string, run: () => Promise<void>) => void;
  /** Opens an empty store. */
  readonly open: () => Promise<SuiteStores>;
}

export function transactionSuite({ test, open }: TransactionSuiteOptions): void {
  for (const [name, run] of Object.entries({
    ...CASES,
    ...BY_HAND_CASES,
    ...MISUSE_CASES,
    ...ENDING_CASES,
  })) {
    test(name, async () => {
      const stores = await open();
      try {
        await run(stores);
      } finally {
        await stores.close();
      }
    });
  }
}

/**
 * Where a case needs a conflict, the key was read before: in a cluster a commit that comes later in time may still be
 * within the snapshot of a transaction that has not looked at its key, and then there is none.
 */
const CASES: Cases = {
  "what is committed by one client is read by the other": async (stores) => {
    await setUp(stores, { a: 1, b: 2 });
    assert.equal(await look(stores, "a"), 1);
    assert.equal(await look(stores, "b"), 2);
    assert.equal(await look(stores, "c"), undefined);
  },

  "a transaction sees its own writes, deletes, appends and upserts": async (stores) => {
    await setUp(stores, { a: 1, log: 1 });
    const seen = await run(stores, async (tx) => {
      tx.write("a", one(2));
      tx.append("log", rows([2, 20]));
      tx.upsert("log", rows([1, 10]));
      const before = [valueIn(await tx.read("a")), rowsIn(await tx.read("log"))];
      tx.delete("a");
      return [...before, await tx.has("a")];
    });
    assert.deepEqual(seen, [
      2,
      [
        [1, 10],
        [2, 20],
      ],
      false,
    ]);
    assert.equal(await look(stores, "a"), undefined);
  },

  "a scan goes over the keys in order, either way, with one's own writes merged in": async (stores) => {
    await setUp(stores, { "k/a": 1, "k/c": 3, "k/d": 4, other: 0 });
    const seen = await run(stores, async (tx) => {
      tx.write("k/b", one(2));
      tx.delete("k/d");
      return [
        await keysOf(tx, { prefix: "k/" }),
        await keysOf(tx, { prefix: "k/", reverse: true }),
        await keysOf(tx, { from: "k/b", to: "k/z", limit: 1 }),
        await keysOf(tx, { key: "k/c" }),
      ];
    });
    assert.deepEqual(seen, [["k/a", "k/b", "k/c"], ["k/c", "k/b", "k/a"], ["k/b"], ["k/c"]]);
  },

  "a scan of many keys sees each once": async (stores) => {
    const names = Array.from({ length: 700 }, (_, index) => `n/${String(index).padStart(4, "0")}`);
    await setUp(stores, Object.fromEntries(names.map((name, index) => [name, index])));
    const seen = await run(stores, (tx) => keysOf(tx, { prefix: "n/" }), { readOnly: true });
    assert.deepEqual(seen, names);
  },

  "a snapshot does not change while another commits": async (stores) => {
    await setUp(stores, { a: 1, b: 1 });
    for (const isolation of ["repeatable-read", "serializable"] as const) {
      const seen: (number | undefined)[] = [];
      await interleave(stores, {
        before: async (tx) => void seen.push(valueIn(await tx.read("a"))),
        other: (tx) => tx.write("b", one(2)),
        after: async (tx) => void seen.push(valueIn(await tx.read("b"))),
        options: { isolation, readOnly: true },
      });
      // A strict read-only transaction may run again; what it saw in one run belongs together.
      const [a, b] = seen.slice(-2);
      assert.ok(a === 1 && (b === 1 || (b === 2 && seen.length > 2)), `${isolation}: ${seen}`);
      await run(stores, (tx) => tx.write("b", one(1)));
    }
  },

  "read committed reads what others commit meanwhile": async (stores) => {
    await setUp(stores, { a: 1 });
    const seen: (number | undefined)[] = [];
    await interleave(stores, {
      before: async (tx) => void seen.push(valueIn(await tx.read("a"))),
      other: (tx) => tx.write("a", one(2)),
      after: async (tx) => void seen.push(valueIn(await tx.read("a"))),
      options: { isolation: "read-committed" },
    });
    assert.deepEqual(seen, [1, 2]);
  },

  "no update is lost at any level": async (stores) => {
    for (const isolation of ["read-committed", "repeatable-read", "serializable"] as const) {
      await setUp(stores, { counter: 0 });
      let read: number | undefined;
      const attempts = await interleave(stores, {
        before: async (tx) => {
          read = valueIn(await tx.read("counter"));
        },
        other: async (tx) => tx.write("counter", one((valueIn(await tx.read("counter")) ?? 0) + 1)),
        after: (tx) => tx.write("counter", one((read ?? 0) + 1)),
        options: { isolation },
        otherOptions: { isolation },
      });
      assert.equal(attempts, 2, isolation);
      assert.equal(await look(stores, "counter"), 2, isolation);
    }
  },

  "write skew is refused under serializable, and happens under repeatable read": async (stores) => {
    for (const [isolation, expected] of [
      ["serializable", 2],
      ["repeatable-read", 1],
    ] as const) {
      await setUp(stores, { x: 1, y: 1 });
      const attempts = await interleave(stores, {
        before: async (tx) => {
          await tx.read("x");
          await tx.read("y");
        },
        other: async (tx) => {
          await tx.read("x");
          await tx.read("y");
          tx.write("y", one(0));
        },
        after: (tx) => tx.write("x", one(0)),
        options: { isolation },
        otherOptions: { isolation },
      });
      assert.equal(attempts, expected, isolation);
    }
  },

  "a key that comes to be in a scanned range, or that was read as absent, conflicts under serializable":
    async (stores) => {
      for (const look of [
        async (tx: TransactionContext) => void (await keysOf(tx, { prefix: "p/" })),
        async (tx: TransactionContext) => void (await tx.read("p/new")),
      ]) {
        await setUp(stores, { "p/old": 1, sum: 0 });
        const attempts = await interleave(stores, {
          before: look,
          other: async (tx) => {
            await tx.read("sum");
            tx.write("p/new", one(1));
          },
          after: (tx) => tx.write("sum", one(1)),
        });
        assert.equal(attempts, 2);
        await run(stores, (tx) => tx.delete("p/new"));
      }
    },

  "a key that was deleted and written again is not unchanged": async (stores) => {
    await setUp(stores, { a: 1 });
    let isWritten = false;
    const attempts = await interleave(stores, {
      before: async (tx) => void (await tx.read("a")),
      other: (tx) => tx.delete("a"),
      after: async (tx) => {
        if (!isWritten) await stores.second.transact((again) => again.write("a", one(1)));
        isWritten = true;
        tx.write("a", one(5));
      },
    });
    assert.equal(attempts, 2);
  },

  "ignore drops a conflicting write and commits the rest": async (stores) => {
    await setUp(stores, { a: 1, b: 1, c: 1 });
    await interleave(stores, {
      before: async (tx) => void (await tx.read("a")),
      other: (tx) => tx.write("a", one(2)),
      after: (tx) => {
        tx.write("a", one(3));
        tx.write("b", one(3));
      },
      options: { isolation: "repeatable-read", onConflict: "ignore" },
    });
    assert.equal(await look(stores, "a"), 2);
    assert.equal(await look(stores, "b"), 3);
  },

  "replace lets a conflicting write win": async (stores) => {
    await setUp(stores, { a: 1, c: 1 });
    await interleave(stores, {
      before: async (tx) => void (await tx.read("c")),
      other: (tx) => tx.write("a", one(2)),
      after: (tx) => tx.write("a", one(3)),
      options: { onConflict: "replace" },
    });
    assert.equal(await look(stores, "a"), 3);
  },

  "append merges a conflicting write by the key column": async (stores) => {
    await setUp(stores, { c: 1 });
    await interleave(stores, {
      before: async (tx) => void (await tx.read("a")),
      other: (tx) => tx.write("a", rows([1, 10], [2, 20])),
      after: (tx) => tx.write("a", rows([2, 21], [3, 30])),
      options: { isolation: "repeatable-read", onConflict: "append" },
    });
    const seen = await run(stores, async (tx) => rowsIn(await tx.read("a")));
    assert.deepEqual(seen, [
      [1, 10],
      [2, 21],
      [3, 30],
    ]);
  },

  "concurrent appends to a log all count under append": async (stores) => {
    const appends = Array.from({ length: 6 }, (_, index) =>
      (index % 2 === 0 ? stores.first : stores.second).transact(
        (tx) => tx.append("log", rows([index, index])),
        { onConflict: "append" },
      ),
    );
    await stores.settle(Promise.all(appends));
    const seen = await run(stores, async (tx) => rowsIn(await tx.read("log")));
    assert.deepEqual(seen?.map(([id]) => id).sort(), [0, 1, 2, 3, 4, 5]);
  },

  "a function resolves a conflict with both sides at hand": async (stores) => {
    await setUp(stores, { a: 1, c: 1 });
    const conflicts: unknown[] = [];
    await interleave(stores, {
      before: async (tx) => void (await tx.read("a")),
      other: (tx) => tx.write("a", one(20)),
      after: (tx) => tx.write("a", one(3)),
      options: {
        isolation: "repeatable-read",
        onConflict: ({ key, committed, mine, operation }) => {
          conflicts.push([key, valueIn(committed), valueIn(mine), operation]);
          return one((valueIn(committed) ?? 0) + (valueIn(mine) ?? 0));
        },
      },
    });
    assert.deepEqual(conflicts, [["a", 20, 3, "write"]]);
    assert.equal(await look(stores, "a"), 23);
  },

  "a resolver that throws, or gives nonsense, is told by its code, and nothing changes": async (stores) => {
    await setUp(stores, { a: 1, c: 1 });
    const resolvers = [
      () => {
        throw new Error("no idea");
      },
      () => "nonsense" as never,
    ];
    for (const onConflict of resolvers) {
      const failing = interleave(stores, {
        before: async (tx) => void (await tx.read("a")),
        other: (tx) => tx.write("a", one(2)),
        after: (tx) => tx.write("a", one(3)),
        options: { isolation: "repeatable-read", onConflict },
      });
      await rejectsWith(failing, "KHONSU_RESOLVER_FAILED");
      assert.equal(await look(stores, "a"), 2);
    }
  },

  "under serializable a conflict on a key that was read cannot be resolved": async (stores) => {
    await setUp(stores, { a: 1 });
    const attempts = await interleave(stores, {
      before: async (tx) => void (await tx.read("a")),
      other: (tx) => tx.write("a", one(2)),
      after: (tx) => tx.write("a", one(3)),
      options: { onConflict: "replace" },
    });
    assert.equal(attempts, 2);
  },

  "who resolved a conflict has read nothing outdated": async (stores) => {
    await setUp(stores, { x: 1, y: 1 });
    const attempts = await interleave(stores, {
      before: async (tx) => void (await tx.read("x")),
      other: (tx) => {
        tx.write("x", one(2));
        tx.append("y", rows([2, 2]));
      },
      after: (tx) => tx.append("y", rows([3, 3])),
      options: { onConflict: "append" },
      otherOptions: { onConflict: "append" },
    });
    assert.equal(attempts, 2);
  },

  "compare and set by version, and for absent keys": async (stores) => {
    const write = (value: number, options: { ifAbsent: true } | { ifVersion: never }) =>
      run(stores, (tx) => tx.write("a", one(value), options), { maxRetries: 0 });
    await write(1, { ifAbsent: true });
    await rejectsWith(write(2, { ifAbsent: true }), "KHONSU_VERSION_MISMATCH");
    const version = await run(stores, (tx) => tx.version("a"));
    assert.ok(version !== undefined && version > 0);
    await run(stores, (tx) => tx.write("a", one(3), { ifVersion: version }));
    await rejectsWith(
      run(stores, (tx) => tx.write("a", one(4), { ifVersion: version })),
      "KHONSU_VERSION_MISMATCH",
    );
    assert.equal(await look(stores, "a"), 3);
    await run(stores, (tx) => tx.delete("a"));
    await write(5, { ifAbsent: true });
    assert.equal(await look(stores, "a"), 5);
  },

  "an ensured key conflicts with a concurrent write of it": async (stores) => {
    await setUp(stores, { x: 1, y: 1 });
    const attempts = await interleave(stores, {
      before: (tx) => tx.ensure("x"),
      other: (tx) => tx.write("x", one(2)),
      after: (tx) => tx.write("y", one(2)),
      options: { isolation: "repeatable-read" },
    });
    assert.equal(attempts, 2);
  },

  "a nested transaction that throws undoes its writes, and only them": async (stores) => {
    await run(stores, async (tx) => {
      tx.write("a", one(1));
      await assert.rejects(async () =>
        tx.nested(async (inner) => {
          inner.write("a", one(2));
          inner.write("b", one(2));
          throw new Error("enough");
        }),
      );
      await tx.nested(async (inner) => inner.write("c", one(3)));
    });
    assert.deepEqual(
      [await look(stores, "a"), await look(stores, "b"), await look(stores, "c")],
      [1, undefined, 3],
    );
  },

  "writes are undone to a savepoint by its name": async (stores) => {
    await run(stores, (tx) => {
      tx.write("a", one(1));
      tx.savepoint("here");
      tx.write("a", one(2));
      tx.write("b", one(2));
      tx.rollbackTo("here");
      tx.write("c", one(3));
      tx.release("here");
      assert.throws(() => tx.rollbackTo("here"), { code: "KHONSU_SAVEPOINT_UNKNOWN" });
    });
    assert.deepEqual(
      [await look(stores, "a"), await look(stores, "b"), await look(stores, "c")],
      [1, undefined, 3],
    );
  },

  "orElse takes the second way when the first retries, with its writes undone": async (stores) => {
    await setUp(stores, { a: 1 });
    const way = await run(stores, (tx) =>
      tx.orElse(
        async (first) => {
          first.write("trace", one(1));
          first.check((await first.read("nothing")) !== undefined);
          return "first";
        },
        async (second) => (valueIn(await second.read("a")) === 1 ? "second" : "neither"),
      ),
    );
    assert.equal(way, "second");
    assert.equal(await look(stores, "trace"), undefined);
  },

  "retry waits until something that was read has changed": async (stores) => {
    const taking = stores.first.transact(async (tx) => {
      const item = await tx.read("item");
      tx.check(item !== undefined);
      tx.delete("item");
      return valueIn(item);
    });
    await stores.settle(stores.second.transact((tx) => tx.write("unrelated", one(1))));
    await stores.settle(stores.second.transact((tx) => tx.write("item", one(42))));
    assert.equal(await stores.settle(taking), 42);
    assert.equal(await look(stores, "item"), undefined);
  },

  "a body that throws leaves nothing behind": async (stores) => {
    const failing = run(stores, (tx) => {
      tx.write("a", one(1));
      throw new Error("no");
    });
    await assert.rejects(failing, { message: "no" });
    assert.equal(await look(stores, "a"), undefined);
  },

  "a read-only transaction refuses writes": async (stores) => {
    await rejectsWith(
      run(stores, (tx) => tx.write("a", one(1)), { readOnly: true }),
      "KHONSU_READ_ONLY",
    );
  },

  "rows whose schema does not fit are refused, and nothing changes": async (stores) => {
    await setUp(stores, { a: 1, b: 1 });
    const other = one(1).select(["id"]);
    const failing = run(stores, (tx) => {
      tx.write("b", one(2));
      tx.append("a", other);
    });
    await rejectsWith(failing, "KHONSU_SCHEMA_MISMATCH");
    assert.equal(await look(stores, "b"), 1);
  },

  "hooks run after the commit, and after the rollback": async (stores) => {
    const calls: string[] = [];
    await run(stores, (tx) => {
      tx.onCommit((timestamp) => void calls.push(`committed ${timestamp > 0}`));
      tx.onRollback(() => void calls.push("rolled back"));
      tx.write("a", one(1));
    });
    const failing = run(stores, (tx) => {
      tx.onCommit(() => void calls.push("committed"));
      tx.onRollback(() => void calls.push("rolled back"));
      throw new Error("no");
    });
    await assert.rejects(failing);
    assert.deepEqual(calls, ["committed true", "rolled back"]);
  },

  "keys and rows that cannot be are refused by their codes": async (stores) => {
    await rejectsWith(
      run(stores, (tx) => tx.write("", one(1))),
      "KHONSU_INVALID_KEY",
    );
    await rejectsWith(
      run(stores, (tx) => tx.write("\ud800", one(1))),
      "KHONSU_INVALID_KEY",
    );
    await rejectsWith(
      run(stores, async (tx) => void (await tx.read(""))),
      "KHONSU_INVALID_KEY",
    );
    await rejectsWith(
      run(stores, (tx) => tx.write("a", {} as never)),
      "KHONSU_INVALID_BATCH",
    );
    await rejectsWith(
      run(stores, (tx) => keysOf(tx, { from: "b", to: "a" })),
      "KHONSU_INVALID_RANGE",
    );
  },
};
