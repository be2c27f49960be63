/** A workload on the embedded store, serializable and at repeatable read, in memory. */
import type { IsolationLevel } from "@khonsu/core";
import { type CompareOptions, compare, type Subject } from "../compare.ts";
import { DriverFork } from "../driven/driver-fork.ts";
import type { StoreSpec } from "../driven/messages.ts";
import type { SuiteResult } from "../report/row.ts";
import { NewOrders } from "./new-orders.ts";
import type { WorkloadCase } from "./workload-case.ts";

export const CALLERS = 16;

export async function onEmbedded(each: WorkloadCase, options: CompareOptions): Promise<SuiteResult> {
  const name = `${each.name}; embedded, ${CALLERS} callers`;
  const newOrders = new NewOrders();
  const subjects = (["serializable", "repeatable-read"] as const).map((isolation) =>
    subject(each, name, isolation, newOrders),
  );
  const { embedded: operations } = each;
  const rows = await compare([{ name, operations, slice: operations, subjects }], options);
  return { rows, details: [...newOrders.details(rows), ...(await recorded(each, name))] };
}

function storeOf(isolation: IsolationLevel): StoreSpec {
  return { kind: "embedded", isolation };
}

function subject(
  { spec }: WorkloadCase,
  on: string,
  isolation: IsolationLevel,
  newOrders: NewOrders,
): Subject {
  const name = `khonsu ${isolation}`;
  return {
    name,
    prepare: async () => {
      const driver = await DriverFork.open(storeOf(isolation), spec);
      const run = async (count: number, latencies: number[]) => {
        const ran = await driver.run(count, CALLERS);
        for (const latency of ran.latencies) latencies.push(latency);
        newOrders.add(on, name, ran);
      };
      const close = async () => {
        await driver.check().finally(() => driver.close());
      };
      return { run, close };
    },
  };
}

/** A run in which every attempt is recorded, which costs time and therefore is not measured. */
async function recorded({ spec, embedded }: WorkloadCase, name: string) {
  const driver = await DriverFork.open(storeOf("serializable"), spec);
  try {
    const details = await driver.record(embedded, CALLERS, name);
    await driver.check();
    return details;
  } finally {
    await driver.close();
  }
}
