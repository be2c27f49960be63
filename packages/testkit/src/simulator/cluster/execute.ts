// Executes an abstract transaction through a session of a cluster, with at most one retry.

import { ClusterError, type ClusterSession, type ClusterTransaction } from "@khonsu/cluster";
import type { IsolationLevel } from "@khonsu/core";
import type { MicroOp } from "../../history/index.ts";
import type { AbstractTransaction } from "../../workloads/index.ts";
import { type Executed, executeStep } from "../core/execute.ts";

export async function executeOnCluster(
  session: ClusterSession,
  { isolation, ops }: AbstractTransaction,
  isList: boolean,
): Promise<Executed> {
  const readOnly = ops.every(([kind]) => kind === "r" || kind === "scan");
  let seen: MicroOp[] = [];
  const body = async (tx: ClusterTransaction) => {
    seen = [];
    for (const op of ops) seen.push(await executeStep(tx, op, isList));
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
