// Executes an abstract transaction through a session of a cluster, with at most one retry.

import type { ClusterSession, ClusterTransaction } from "@khonsu/cluster";
import { type IsolationLevel, isKhonsuError } from "@khonsu/core";
import type { MicroOp } from "../../history/index.ts";
import type { AbstractTransaction } from "../../workloads/index.ts";
import { type Executed, executeStep } from "../core/execute.ts";

const UNKNOWN_OUTCOMES: readonly string[] = ["KHONSU_IN_DOUBT", "KHONSU_OUTCOME_EXPIRED"];

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
    if (!isKhonsuError(error)) throw error;
    const isUnknown = UNKNOWN_OUTCOMES.includes(error.code);
    return { outcome: isUnknown ? "unknown" : "fail", ops };
  }
}
