/** Each workload keeps its own books; a store that loses an update, or a body that writes half, is found by its check. */
import { Khonsu, type TransactionContext } from "@khonsu/core";
import { expect, test } from "vitest";
import { lmdbRecords } from "../peers/lmdb-records.ts";
import { sqliteRecords } from "../peers/sqlite-records.ts";
import { silent } from "../progress.ts";
import { callers } from "../workloads/callers.ts";
import { type Column, type RecordOf, RecordType } from "../workloads/record-type.ts";
import { overBatches } from "../workloads/records.ts";
import { SmallBank } from "../workloads/smallbank.ts";
import { delivery } from "../workloads/tpcc/delivery.ts";
import * as schema from "../workloads/tpcc/schema.ts";
import { key } from "../workloads/tpcc/schema.ts";
import { Tpcc } from "../workloads/tpcc/tpcc.ts";
import { shardsFor } from "../workloads/tpcc/warehouse-shards.ts";
import type { TransactionStore, Workload } from "../workloads/workload.ts";
import { Ycsb } from "../workloads/ycsb.ts";
import type { WorkloadCase } from "./workload-case.ts";
import { runWorkloads } from "./workloads.ts";

const ACCOUNT = new RecordType({ customer: "int32", cents: "float64" });
const SCALE = { warehouses: 2, districts: 3, customers: 30, items: 200 };
const PLACEMENT = { shards: 4, delimiter: "/" };

test("the suites run workloads on the embedded store, its peers and a cluster, and report on the attempts", async () => {
  const bank = { customers: 20, hot: 5, hotShare: 0.9 };
  const cases: WorkloadCase[] = [
    {
      name: "bank",
      spec: { kind: "smallbank", options: bank },
      embedded: 300,
      cluster: { 8: 60 },
      warm: 20,
      placement: PLACEMENT,
    },
    {
      name: "tpcc",
      spec: { kind: "tpcc", scale: SCALE },
      embedded: 200,
      cluster: { 8: 60 },
      warm: 20,
      placement: { ...PLACEMENT, shards: shardsFor(2) },
    },
  ];
  const { rows, details } = await runWorkloads("test", { quick: true, progress: silent }, cases);
  for (const row of rows) expect(row.ops_per_s).toBeGreaterThan(0);
  const on = (name: string) => rows.filter((row) => row.case === name).map((row) => row.subject);
  expect(on("bank; embedded, 16 callers")).toEqual([
    "khonsu serializable",
    "khonsu repeatable-read",
    "node:sqlite in memory",
    "lmdb synchronous transactions, no sync",
  ]);
  expect(on("bank; three nodes, 8 in flight").filter((name) => !name.startsWith("etcd"))).toEqual([
    "khonsu, three nodes",
  ]);
  expect(on("tpcc; three nodes, 8 in flight")).toEqual(["khonsu, three nodes"]);
  const of = (workload: string, transaction: string) =>
    details.find((row) => row.workload === workload && row.transaction === transaction)!;
  for (const [where, commits] of [
    ["bank; embedded, 16 callers", 300],
    ["bank; three nodes, 8 in flight", 60],
  ] as const) {
    expect(of(where, "all").commits).toBe(commits);
    expect(Number(of(where, "all").aborts)).toBeGreaterThan(0);
    const causes = details.filter((row) => row.workload === where && row["code of the aborts"] !== undefined);
    expect(causes.reduce((sum, row) => sum + Number(row.aborts), 0)).toBe(of(where, "all").aborts);
  }
  expect(of("tpcc; three nodes, 8 in flight", "new-order").commits).toBeGreaterThan(0);
  const newOrders = details.filter((row) => row["new orders a minute"] !== undefined);
  expect(newOrders.map((row) => row.on)).toContain("tpcc; three nodes, 8 in flight");
});

test.each(["A", "B", "C", "D", "E", "F"] as const)("YCSB %s leaves behind what it should", async (letter) => {
  await using db = await Khonsu.open({ detectLeaks: false, maxRetries: 1000 });
  const store: TransactionStore = db;
  const workload = overBatches(new Ycsb(letter, 100));
  await workload.load(store);
  await callers(workload, 8, (unit) => unit.run(store))(100, []);
  await workload.check(store);
});

test("no two warehouses share a shard", () => {
  for (const warehouses of [1, 2, 4, 10]) expect(shardsFor(warehouses)).toBeGreaterThanOrEqual(warehouses);
});

/** Tampers with what a run left behind, and expects the check to name what no longer holds. */
async function expectFound(
  workload: Workload,
  tamper: (tx: TransactionContext) => Promise<void>,
  message: string,
): Promise<void> {
  await using db = await Khonsu.open({ detectLeaks: false });
  const store: TransactionStore = db;
  await workload.load(store);
  await callers(workload, 4, (unit) => unit.run(store))(60, []);
  await workload.check(store);
  await store.transact(tamper);
  await expect(workload.check(store)).rejects.toThrow(message);
}

test("SmallBank finds money that went, YCSB a record that went", async () => {
  await expectFound(
    overBatches(new SmallBank({ customers: 20, hot: 5 })),
    async (tx) => tx.write("customer 3/savings", ACCOUNT.batch({ customer: 3, cents: 1 })),
    "the sum of all accounts",
  );
  await expectFound(
    overBatches(new Ycsb("A", 50)),
    async (tx) => {
      for await (const [record] of tx.scan({ prefix: "user", limit: 1 })) tx.delete(record);
    },
    "records",
  );
});

test.each([
  ["sqlite", sqliteRecords],
  ["lmdb", lmdbRecords],
] as const)("the peer %s runs the same bodies, and what fails leaves nothing behind", async (_, open) => {
  const workload = new SmallBank({ customers: 20, hot: 5 });
  const store = await open(workload.type);
  await workload.load(store);
  await callers(workload, 4, (unit) => unit.run(store))(200, []);
  await workload.check(store);
  const failing = store.transact(async (accounts) => {
    accounts.put("customer 3/savings", { customer: 3, cents: 1 });
    await Promise.reject(new Error("on purpose"));
  });
  await expect(failing).rejects.toThrow("on purpose");
  await workload.check(store);
  await store.transact(async (accounts) => accounts.put("customer 3/savings", { customer: 3, cents: 1 }));
  await expect(workload.check(store)).rejects.toThrow("the sum of all accounts");
  if (Symbol.asyncDispose in store) await store[Symbol.asyncDispose]();
  else store[Symbol.dispose]();
});

/** Replaces a record by what `fn` makes of it. */
async function change<S extends Record<string, Column>>(
  tx: TransactionContext,
  at: string,
  type: RecordType<S>,
  fn: (row: RecordOf<S>) => Partial<RecordOf<S>>,
): Promise<void> {
  const rows = type.rows(await tx.read(at));
  tx.write(at, type.batch(...rows.map((row) => ({ ...row, ...fn(row) }))));
}

const { YTD, NEXT_ORDER, CUSTOMER, ORDER, ORDER_LINE } = schema;

/** The keys of the orders of a district that are not delivered. */
async function fresh(tx: TransactionContext): Promise<string[]> {
  const keys: string[] = [];
  for await (const [found] of tx.scan({ prefix: key.newOrders(1, 1) })) keys.push(found);
  return keys;
}

const tampering: readonly (readonly [string, (tx: TransactionContext) => Promise<void>])[] = [
  ["3.3.2.1,", (tx) => change(tx, key.warehouseYtd(1), YTD, ({ ytd }) => ({ ytd: ytd + 1 }))],
  [
    "3.3.2.2,",
    (tx) => change(tx, key.nextOrder(1, 1), NEXT_ORDER, (row) => ({ nextOrder: row.nextOrder + 1 })),
  ],
  ["3.3.2.3,", async (tx) => tx.delete((await fresh(tx))[1]!)],
  ["3.3.2.4,", (tx) => change(tx, key.order(1, 1, 1), ORDER, ({ lines }) => ({ lines: lines + 1 }))],
  [
    "3.3.2.5,",
    async (tx) =>
      change(tx, (await fresh(tx))[0]!.replace("/new/", "/order/"), ORDER, () => ({ carrier: 1 })),
  ],
  [
    "3.3.2.6,",
    async (tx) => {
      await change(tx, key.order(1, 1, 1), ORDER, ({ lines }) => ({ lines: lines + 1 }));
      await change(tx, key.order(1, 1, 2), ORDER, ({ lines }) => ({ lines: lines - 1 }));
    },
  ],
  ["3.3.2.7,", (tx) => change(tx, key.lines(1, 1, 1), ORDER_LINE, () => ({ deliveredAt: 0 }))],
  ["3.3.2.9,", (tx) => change(tx, key.districtYtd(1, 1), YTD, ({ ytd }) => ({ ytd: ytd + 1 }))],
  [
    "3.3.2.10,",
    (tx) => change(tx, key.customer(1, 1, 1), CUSTOMER, ({ balance }) => ({ balance: balance + 1 })),
  ],
  ["3.3.2.11,", async (tx) => void (await delivery(tx, { warehouse: 1, carrier: 1, date: 9 }, 1))],
  [
    "3.3.2.12,",
    (tx) => change(tx, key.customer(1, 1, 1), CUSTOMER, (row) => ({ ytdPayment: row.ytdPayment + 1 })),
  ],
];

test.each(tampering)("the consistency condition %s is checked", async (clause, tamper) => {
  await expectFound(new Tpcc(SCALE), tamper, clause);
});
