/**
 * SmallBank, YCSB A to F and TPC-C on the embedded store: what is committed a second by callers whose transactions interleave at each
 * read, serializable and at repeatable read; then, in a run that is recorded, how many attempts a conflict ended, why, and how many
 * of these needlessly. After each run the store is checked for what the workload says must hold.
 */
import { type IsolationLevel, Khonsu } from "@khonsu/core";
import { abortReport } from "../aborts/abort-report.ts";
import { RecordingStore } from "../aborts/attempts.ts";
import { type BenchCase, compare, type Subject } from "../compare.ts";
import type { Detail, SuiteResult } from "../report/row.ts";
import { callers } from "../workloads/callers.ts";
import { SmallBank } from "../workloads/smallbank.ts";
import { Tpcc } from "../workloads/tpcc/tpcc.ts";
import type { TransactionStore, Workload } from "../workloads/workload.ts";
import { Ycsb, type YcsbLetter } from "../workloads/ycsb.ts";
import type { Measure, SuiteOptions } from "./index.ts";

const CALLERS = 16;

export interface WorkloadCase {
  /** What it is run on, for the name of the case. */
  readonly on: string;
  readonly make: () => Workload;
  /** Transactions a subject and round, and in the recorded run. */
  readonly transactions: number;
}

export const smallBank: Measure = (options) =>
  runWorkloads("smallbank", options, [
    { on: "10,000 customers", make: () => new SmallBank(), transactions: options.quick ? 2000 : 20_000 },
    {
      on: "100 customers, all hot",
      make: () => new SmallBank({ customers: 100, hot: 10, hotShare: 0.9 }),
      transactions: options.quick ? 2000 : 20_000,
    },
  ]);

export const ycsb: Measure = (options) => {
  const letters: readonly YcsbLetter[] = ["A", "B", "C", "D", "E", "F"];
  const transactions = (letter: YcsbLetter) => (options.quick ? 500 : 10_000) / (letter === "E" ? 5 : 1);
  const cases = letters.map((letter) => ({
    on: "10,000 records, 4 operations a transaction",
    make: () => new Ycsb(letter),
    transactions: transactions(letter),
  }));
  return runWorkloads("ycsb", options, cases);
};

export const tpcc: Measure = (options) => {
  const { quick } = options;
  const scale = quick
    ? { warehouses: 2, customers: 60, items: 1000 }
    : { warehouses: 4, customers: 300, items: 10_000 };
  const on = `${scale.warehouses} warehouses of ${scale.items.toLocaleString("en-US")} items and ${scale.customers} customers a district`;
  return runWorkloads("tpcc", options, [
    { on, make: () => new Tpcc(scale), transactions: quick ? 500 : 5000 },
  ]);
};

export async function runWorkloads(
  suite: string,
  { quick, progress }: SuiteOptions,
  cases: readonly WorkloadCase[],
): Promise<SuiteResult> {
  const rows = await compare(cases.map(caseOf), { suite, rounds: quick ? 3 : 5, progress });
  const details: Detail[] = [];
  for (const each of cases) details.push(...(await recorded(each)));
  return { rows, details };
}

function caseOf(each: WorkloadCase): BenchCase {
  return {
    name: `${each.make().name}, ${each.on}`,
    operations: each.transactions,
    slice: each.transactions,
    subjects: [subject(each, "serializable"), subject(each, "repeatable-read")],
  };
}

function subject({ make }: WorkloadCase, isolation: IsolationLevel): Subject {
  return {
    name: `khonsu ${isolation}, ${CALLERS} callers`,
    prepare: async () => {
      const workload = make();
      const db = await Khonsu.open({ detectLeaks: false, isolation, maxRetries: 1000 });
      const store: TransactionStore = db;
      await workload.load(store);
      const close = async () => {
        await workload.check(store);
        await db.close();
      };
      return { run: callers(workload, CALLERS, () => store), close };
    },
  };
}

/** A run in which every attempt is recorded, which costs time and therefore is not measured. */
async function recorded({ make, on, transactions }: WorkloadCase): Promise<Detail[]> {
  const workload = make();
  await using db = await Khonsu.open({ detectLeaks: false, maxRetries: 1000 });
  await workload.load(db);
  const recording = new RecordingStore(db);
  await callers(workload, CALLERS, ({ kind }) => recording.ofKind(kind))(transactions, []);
  await workload.check(db);
  return abortReport(`${workload.name}, ${on}`, recording.attempts);
}
