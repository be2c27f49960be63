/** Runs an abstract workload against a test cluster, each transaction through a node of its choice, once. */
import type { MicroOp } from "@khonsu/testkit/history";
import {
  type AbstractTransaction,
  recordHistory,
  type TransactionReport,
  Workload,
  type WorkloadOptions,
} from "@khonsu/testkit/workloads";
import { type RecordBatch, tableFromArrays } from "apache-arrow";
import type { ClusterTransaction } from "../../src/cluster-transaction.ts";
import { ClusterError } from "../../src/errors.ts";
import { pause, within } from "../../src/pause.ts";
import type { TestCluster } from "./test-cluster.ts";

export interface RunOptions {
  readonly workload: WorkloadOptions;
  readonly transactions: number;
  readonly processes: number;
}

const rows = (value: number): RecordBatch => tableFromArrays({ value: Int32Array.of(value) }).batches[0]!;

const elements = (batch: RecordBatch | undefined): number[] | null =>
  batch === undefined ? null : [...(batch.getChild("value") ?? [])].map(Number);

export async function runWorkload(cluster: TestCluster, options: RunOptions) {
  const { runtime } = cluster;
  const transact = async (process: number, transaction: AbstractTransaction): Promise<TransactionReport> => {
    const { ops } = transaction;
    let id = cluster.ids[(process + transaction.number) % cluster.ids.length]!;
    while (!cluster.isRunning(id)) {
      await pause(runtime, 20);
      id = runtime.choices.pick(cluster.ids);
    }
    const isReadOnly = ops.every(([kind]) => kind === "r" || kind === "scan");
    const isolation = transaction.isolation as "serializable";
    let seen: MicroOp[] = [];
    const body = async (tx: ClusterTransaction) => {
      seen = [];
      for (const op of ops) seen.push(await execute(tx, op));
    };
    const attempt = cluster
      .node(id)
      .session()
      .transact(body, { isolation, readOnly: isReadOnly, maxRetries: 1 });
    const lost = (): "unknown" => "unknown";
    const outcome = await within(
      runtime,
      30_000,
      attempt.then(() => "ok" as const, outcomeOf),
      lost,
    );
    return { outcome, ops: outcome === "ok" ? seen : [...ops] };
  };
  let time = 0;
  return recordHistory({ transact }, new Workload(options.workload), {
    processes: options.processes,
    transactions: options.transactions,
    now: () => runtime.now() * 1000 + (time++ % 1000) / 1000,
  });
}

/** A transaction certainly had no effect, unless it says otherwise. */
function outcomeOf(error: unknown): "fail" | "unknown" {
  if (!(error instanceof ClusterError)) throw error;
  return error.code === "KHONSU_IN_DOUBT" || error.code === "KHONSU_OUTCOME_EXPIRED" ? "unknown" : "fail";
}

async function execute(tx: ClusterTransaction, op: MicroOp): Promise<MicroOp> {
  switch (op[0]) {
    case "r":
      return ["r", op[1], elements(await tx.read(String(op[1])))];
    case "append":
      tx.append(String(op[1]), rows(Number(op[2])));
      return op;
    case "scan": {
      const found: [string, number[]][] = [];
      for await (const [key, batch] of tx.scan(op[1])) found.push([key, elements(batch) ?? []]);
      return ["scan", op[1], found];
    }
    case "delete":
      tx.delete(String(op[1]));
      return op;
    default:
      throw new Error(`The workload has a step that is not run here: ${op[0]}`);
  }
}
