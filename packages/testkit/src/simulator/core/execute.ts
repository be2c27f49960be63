// Executes an abstract transaction against the embedded store: one attempt, with a pause before each step, so that the clients
// interleave as the schedule has it.

import { type IsolationLevel, isKhonsuError, type Khonsu, type TransactionContext } from "@khonsu/core";
import { type RecordBatch, tableFromArrays } from "apache-arrow";
import type { MicroOp, Observed, Outcome } from "../../history/index.ts";
import type { AbstractTransaction } from "../../workloads/index.ts";

export interface Executed {
  readonly outcome: Outcome;
  readonly ops: readonly MicroOp[];
}

/** @param isList whether keys hold lists that are appended to, or registers. */
export async function execute(
  db: Khonsu,
  { isolation, ops }: AbstractTransaction,
  isList: boolean,
  pause: () => Promise<void>,
): Promise<Executed> {
  const readOnly = ops.every(([kind]) => kind === "r" || kind === "scan");
  const seen: MicroOp[] = [];
  using tx = db.begin({ isolation: isolation as IsolationLevel, readOnly });
  for (const op of ops) {
    await pause();
    seen.push(await executeStep(tx, op, isList));
  }
  await pause();
  try {
    await tx.commit();
    return { outcome: "ok", ops: seen };
  } catch (error) {
    if (!isKhonsuError(error)) throw error;
    // After a failure of the disk it may be there or not; every other error says that it is not.
    return { outcome: error.code === "KHONSU_STORAGE_FAILED" ? "unknown" : "fail", ops };
  }
}

/** One step, in a transaction of an embedded store or of a cluster: awaiting what is there already is harmless. */
export async function executeStep(tx: TransactionContext, op: MicroOp, isList: boolean): Promise<MicroOp> {
  switch (op[0]) {
    case "r":
      return ["r", op[1], observed(await tx.read(String(op[1])), isList)];
    case "append":
      tx.append(String(op[1]), rows(Number(op[2])));
      return op;
    case "w":
      tx.write(String(op[1]), rows(Number(op[2])));
      return op;
    case "delete":
      tx.delete(String(op[1]));
      return op;
    case "scan": {
      const found: [string, Observed][] = [];
      for await (const [key, batch] of tx.scan(op[1])) found.push([key, observed(batch, isList)]);
      return ["scan", op[1], found];
    }
    default:
      throw new Error(`The workload has a step that is not run here: ${op[0]}`);
  }
}

export function rows(value: number): RecordBatch {
  return tableFromArrays({ value: Int32Array.of(value) }).batches[0]!;
}

export function observed(batch: RecordBatch | undefined, isList: boolean): Observed {
  if (batch === undefined) return null;
  const values = [...(batch.getChild("value") ?? [])].map(Number);
  return isList ? values : (values[0] ?? null);
}
