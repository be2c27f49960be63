/**
 * A workload on three nodes on loopback, which sync each write, with several numbers of transactions in flight from one process; where its transactions
 * can be had of etcd as well, on three members of it in turn.
 */
import { etcdCluster } from "../cluster/etcd-cluster.ts";
import { khonsuCluster } from "../cluster/khonsu-cluster.ts";
import { startCluster, type TestCluster } from "../cluster/test-cluster.ts";
import { type BenchCase, type CompareOptions, compare, type Subject, Unavailable } from "../compare.ts";
import { DriverFork } from "../driven/driver-fork.ts";
import type { WorkloadSpec } from "../driven/messages.ts";
import type { Detail, MeasuredRow, SuiteResult } from "../report/row.ts";
import { NewOrders } from "./new-orders.ts";
import type { WorkloadCase } from "./workload-case.ts";

const WARM_IN_FLIGHT = 64;

/** A cluster with the process that runs the workload in it. */
interface Driven {
  readonly name: string;
  readonly cluster: TestCluster;
  readonly driver: DriverFork;
}

export async function onCluster(each: WorkloadCase, options: CompareOptions): Promise<SuiteResult> {
  const { spec } = each;
  const driven: Driven[] = [];
  try {
    const nodes = (directory: string) => khonsuCluster(directory, each.placement);
    driven.push(await drive("khonsu, three nodes", "cluster", nodes, spec));
    const peer = hasPeer(spec) ? await peerOf(spec, options) : undefined;
    if (peer !== undefined) driven.push(peer);
    return await measure(each, driven, options);
  } finally {
    for (const { driver, cluster } of driven) {
      await driver.close();
      await cluster.close();
    }
  }
}

/** Not for TPC-C, which is written for batches, nor for YCSB E, whose writers scan. */
function hasPeer(spec: WorkloadSpec): boolean {
  return spec.kind === "smallbank" || (spec.kind === "ycsb" && spec.letter !== "E");
}

async function peerOf(spec: WorkloadSpec, { progress }: CompareOptions): Promise<Driven | undefined> {
  try {
    return await drive("etcd 3.4, three members", "etcd", etcdCluster, spec);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    progress.note(`skipped etcd: ${error.message}`);
    return undefined;
  }
}

async function drive(
  name: string,
  kind: "cluster" | "etcd",
  make: (directory: string) => Promise<TestCluster>,
  spec: WorkloadSpec,
): Promise<Driven> {
  const cluster = await startCluster(make);
  try {
    const { addresses } = cluster;
    return { name, cluster, driver: await DriverFork.open({ kind, addresses }, spec) };
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

async function measure(
  each: WorkloadCase,
  driven: readonly Driven[],
  options: CompareOptions,
): Promise<SuiteResult> {
  const newOrders = new NewOrders();
  const rows: MeasuredRow[] = [];
  const details: Detail[] = [];
  for (const { driver } of driven) await driver.run(each.warm, WARM_IN_FLIGHT);
  for (const [depth, operations] of Object.entries(each.cluster)) {
    const inFlight = Number(depth);
    const name = `${each.name}; three nodes, ${inFlight} in flight`;
    const subjects = driven.map((one) => subject(one, name, inFlight, newOrders));
    const one: BenchCase = { name, operations, slice: operations, subjects };
    rows.push(...(await compare([one], options)));
    if (inFlight > 1) details.push(...(await driven[0]!.driver.record(operations, inFlight, name)));
  }
  for (const { driver } of driven) await driver.check();
  return { rows, details: [...newOrders.details(rows), ...details] };
}

function subject({ name, driver }: Driven, on: string, inFlight: number, newOrders: NewOrders): Subject {
  const run = async (count: number, latencies: number[]) => {
    const ran = await driver.run(count, inFlight);
    for (const latency of ran.latencies) latencies.push(latency);
    newOrders.add(on, name, ran);
  };
  return { name, prepare: () => ({ run }) };
}
