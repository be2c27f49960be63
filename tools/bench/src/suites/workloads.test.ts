/** Each workload keeps its own books; a store that loses an update, or a body that writes half, is found by its check. */
import { Khonsu, type TransactionContext } from "@khonsu/core";
import { expect, test } from "vitest";
import { silent } from "../progress.ts";
import { callers } from "../workloads/callers.ts";
import { type Column, type RecordOf, RecordType } from "../workloads/record-type.ts";
import { SmallBank } from "../workloads/smallbank.ts";
import { delivery } from "../workloads/tpcc/delivery.ts";
import * as schema from "../workloads/tpcc/schema.ts";
import { key } from "../workloads/tpcc/schema.ts";
import { Tpcc } from "../workloads/tpcc/tpcc.ts";
import type { TransactionStore, Workload } from "../workloads/workload.ts";
import { Ycsb, type YcsbLetter } from "../workloads/ycsb.ts";
import { runWorkloads } from "./workloads.ts";

const ACCOUNT = new RecordType({ customer: "int32", cents: "float64" });
const SCALE = { warehouses: 2, districts: 3, customers: 30, items: 200 };

test("the suite gives rates, and a report on the attempts of each kind of transaction", async () => {
  const cases = [
    { on: "few", make: () => new SmallBank({ customers: 20, hot: 5, hotShare: 0.9 }), transactions: 300 },
    { on: "few", make: () => new Tpcc(SCALE), transactions: 200 },
    ...(["A", "B", "C", "D", "E", "F"] as const).map((letter: YcsbLetter) => ({
      on: "few",
      make: () => new Ycsb(letter, 100),
      transactions: 50,
    })),
  ];
  const { rows, details } = await runWorkloads("test", { quick: true, progress: silent }, cases);
  expect(rows.length).toBe(cases.length * 2);
  const bank = details.find((row) => row.workload === "SmallBank, few" && row.transaction === "all")!;
  expect(bank.commits).toBe(300);
  expect(Number(bank["aborted %"])).toBeGreaterThan(0);
  const kinds = details.filter((row) => row.workload === "TPC-C, few").map((row) => row.transaction);
  expect(kinds).toEqual(["delivery", "new-order", "order-status", "payment", "stock-level", "all"]);
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
  await callers(workload, 4, () => store)(60, []);
  await workload.check(store);
  await store.transact(tamper);
  await expect(workload.check(store)).rejects.toThrow(message);
}

test("SmallBank finds money that went, YCSB a record that went", async () => {
  await expectFound(
    new SmallBank({ customers: 20, hot: 5 }),
    async (tx) => tx.write("customer 3/savings", ACCOUNT.batch({ customer: 3, cents: 1 })),
    "the sum of all accounts",
  );
  await expectFound(
    new Ycsb("A", 50),
    async (tx) => {
      for await (const [record] of tx.scan({ prefix: "user", limit: 1 })) tx.delete(record);
    },
    "records",
  );
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

const { WAREHOUSE, DISTRICT, CUSTOMER, ORDER, ORDER_LINE } = schema;

/** The keys of the orders of a district that are not delivered. */
async function fresh(tx: TransactionContext): Promise<string[]> {
  const keys: string[] = [];
  for await (const [found] of tx.scan({ prefix: key.newOrders(1, 1) })) keys.push(found);
  return keys;
}

const tampering: readonly (readonly [string, (tx: TransactionContext) => Promise<void>])[] = [
  ["3.3.2.1,", (tx) => change(tx, key.warehouse(1), WAREHOUSE, ({ ytd }) => ({ ytd: ytd + 1 }))],
  ["3.3.2.2,", (tx) => change(tx, key.district(1, 1), DISTRICT, (row) => ({ nextOrder: row.nextOrder + 1 }))],
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
  ["3.3.2.9,", (tx) => change(tx, key.district(1, 1), DISTRICT, ({ ytd }) => ({ ytd: ytd + 1 }))],
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
