/** A workload on three nodes on loopback, which sync each write, with several numbers of transactions in flight from one process. */
import { khonsuCluster } from "../cluster/khonsu-cluster.ts";
import { startCluster } from "../cluster/test-cluster.ts";
import { type BenchCase, type CompareOptions, compare } from "../compare.ts";
import { DriverFork } from "../driven/driver-fork.ts";
import type { Detail, MeasuredRow, SuiteResult } from "../report/row.ts";
import { NewOrders } from "./new-orders.ts";
import type { WorkloadCase } from "./workload-case.ts";

const SUBJECT = "khonsu, three nodes";

export async function onCluster(each: WorkloadCase, options: CompareOptions): Promise<SuiteResult> {
  const cluster = await startCluster((directory) => khonsuCluster(directory, each.placement));
  try {
    const { addresses } = cluster;
    const driver = await DriverFork.open({ kind: "cluster", addresses }, (each.onCluster ?? each).spec);
    try {
      return await measure(each, driver, options);
    } finally {
      await driver.close();
    }
  } finally {
    await cluster.close();
  }
}

async function measure(
  each: WorkloadCase,
  driver: DriverFork,
  options: CompareOptions,
): Promise<SuiteResult> {
  const newOrders = new NewOrders();
  const rows: MeasuredRow[] = [];
  const details: Detail[] = [];
  for (const [depth, operations] of Object.entries(each.cluster)) {
    const inFlight = Number(depth);
    const name = `${(each.onCluster ?? each).name}; three nodes, ${inFlight} in flight`;
    const run = async (count: number, latencies: number[]) => {
      const ran = await driver.run(count, inFlight);
      for (const latency of ran.latencies) latencies.push(latency);
      newOrders.add(name, SUBJECT, ran);
    };
    const subjects = [{ name: SUBJECT, prepare: () => ({ run }) }];
    const one: BenchCase = { name, operations, slice: operations, subjects };
    rows.push(...(await compare([one], options)));
    if (inFlight > 1) details.push(...(await driver.record(operations, inFlight, name)));
  }
  await driver.check();
  return { rows, details: [...newOrders.details(rows), ...details] };
}
