// Executes an abstract transaction through a session of a cluster, with at most one retry.

import { ClusterError, type ClusterSession, type ClusterTransaction } from "@khonsu/cluster";
import type { IsolationLevel } from "@khonsu/core";
import type { MicroOp } from "../../history/index.ts";
import type { AbstractTransaction } from "../../workloads/index.ts";
import { type Executed, observed, rows } from "../core/execute.ts";

export async function executeOnCluster(
  session: ClusterSession,
  { isolation, ops }: AbstractTransaction,
  isList: boolean,
): Promise<Executed> {
  const readOnly = ops.every(([kind]) => kind === "r" || kind === "scan");
  let seen: MicroOp[] = [];
  const body = async (tx: ClusterTransaction) => {
    seen = [];
    for (const op of ops) seen.push(await step(tx, op, isList));
  };
  try {
    await session.transact(body, { isolation: isolation as IsolationLevel, readOnly, maxRetries: 1 });
    return { outcome: "ok", ops: seen };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    const isUnknown = error.code === "KHONSU_IN_DOUBT" || error.code === "KHONSU_OUTCOME_EXPIRED";
    return { outcome: isUnknown ? "unknown" : "fail", ops };
  }
}

async function step(tx: ClusterTransaction, op: MicroOp, isList: boolean): Promise<MicroOp> {
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
      const found: [string, ReturnType<typeof observed>][] = [];
      for await (const [key, batch] of tx.scan(op[1])) found.push([key, observed(batch, isList)]);
      return ["scan", op[1], found];
    }
    default:
      throw new Error(`The workload has a step that is not run here: ${op[0]}`);
  }
}
