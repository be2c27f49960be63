/** A workload on the embedded store, serializable and at repeatable read, in memory; those on records beside SQLite and lmdb. */
import { type CompareOptions, compare, type Subject } from "../compare.ts";
import { DriverFork } from "../driven/driver-fork.ts";
import type { StoreSpec } from "../driven/messages.ts";
import type { SuiteResult } from "../report/row.ts";
import { NewOrders } from "./new-orders.ts";
import type { WorkloadCase } from "./workload-case.ts";

const CALLERS = 16;

type Named = readonly [name: string, store: StoreSpec];

const OURS: readonly Named[] = (["serializable", "repeatable-read"] as const).map((isolation) => [
  `khonsu ${isolation}`,
  { kind: "embedded", isolation },
]);
/** Both run one transaction at a time, and are serializable by that. */
const PEERS: readonly Named[] = [
  ["node:sqlite in memory", { kind: "sqlite" }],
  ["lmdb synchronous transactions, no sync", { kind: "lmdb" }],
];

export async function onEmbedded(each: WorkloadCase, options: CompareOptions): Promise<SuiteResult> {
  const name = `${each.name}; embedded, ${CALLERS} callers`;
  const newOrders = new NewOrders();
  const stores = each.spec.kind === "tpcc" ? OURS : [...OURS, ...PEERS];
  const subjects = stores.map((store) => subject(each, name, store, newOrders));
  const { embedded: operations } = each;
  const rows = await compare([{ name, operations, slice: operations, subjects }], options);
  return { rows, details: [...newOrders.details(rows), ...(await recorded(each, name))] };
}

function subject(
  { spec, embedded: operations }: WorkloadCase,
  on: string,
  [name, store]: Named,
  newOrders: NewOrders,
): Subject {
  return {
    name,
    prepare: async () => {
      const driver = await DriverFork.open(store, spec);
      const run = async (count: number, latencies: number[]) => {
        const ran = await driver.run(count, CALLERS);
        for (const latency of ran.latencies) latencies.push(latency);
        newOrders.add(on, name, ran);
      };
      // As long as a round, so that most of what counts is compiled.
      const warm = async () => void (await driver.run(operations, CALLERS));
      const close = async () => {
        await driver.check().finally(() => driver.close());
      };
      return { run, warm, close };
    },
  };
}

/** A run in which every attempt is recorded, which costs time and therefore is not measured. */
async function recorded({ spec, embedded }: WorkloadCase, name: string) {
  const driver = await DriverFork.open({ kind: "embedded", isolation: "serializable" }, spec);
  try {
    const details = await driver.record(embedded, CALLERS, name);
    await driver.check();
    return details;
  } finally {
    await driver.close();
  }
}
