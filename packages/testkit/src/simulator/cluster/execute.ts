// Carries out one transaction of the workload through a session of a cluster, with at most one retry, and says what a history of it holds.

import type { ClusterSession, ClusterTransaction } from "@khonsu/cluster";
import { type IsolationLevel, isKhonsuError } from "@khonsu/core";
import type { MicroOp, Outcome } from "../../history/index.ts";
import { KEY_PREFIX } from "../../workloads/index.ts";
import { executeStep, observed, rows } from "../core/execute.ts";
import { type ClusterStep, isReading, type Manner } from "./workload.ts";

const UNKNOWN_OUTCOMES: readonly string[] = ["KHONSU_IN_DOUBT", "KHONSU_OUTCOME_EXPIRED"];

export interface ExecutedOnCluster {
  readonly outcome: Outcome;
  readonly ops: readonly MicroOp[];
  /** Where it read and where it committed; undefined where it did not, or that is not known. */
  readonly snapshot?: number | undefined;
  readonly timestamp?: number | undefined;
}

export interface Execution {
  readonly isolation: IsolationLevel;
  readonly steps: readonly ClusterStep[];
  readonly manner: Manner;
  /** Whether keys hold lists that are appended to, or registers. */
  readonly isList: boolean;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

export async function executeOnCluster(
  session: ClusterSession,
  { isolation, isList, manner, sleep, steps }: Execution,
): Promise<ExecutedOnCluster> {
  const { consistency, onConflict, pausesMs } = manner;
  const pause = (index: number) => {
    const milliseconds = pausesMs[index] ?? 0;
    return milliseconds > 0 ? sleep(milliseconds) : undefined;
  };
  let last: { readonly tx: ClusterTransaction; readonly ops: MicroOp[] } | undefined;
  const ignorable = onConflict === "ignore" ? ignorableSteps(steps) : [];
  const body = async (tx: ClusterTransaction) => {
    const ops: MicroOp[] = [];
    last = { tx, ops };
    for (const [index, step] of steps.entries()) {
      await pause(index);
      if (ignorable.includes(step)) ops.push(writeOrIgnore(tx, step));
      else ops.push(...(await execute(tx, step, isList)));
    }
    await pause(steps.length);
  };
  const isSnapshot = consistency === "snapshot";
  const readOnly = isReading(steps);
  try {
    await session.transact(body, {
      consistency,
      readOnly,
      maxRetries: 1,
      onConflict: onConflict === "replace" ? "replace" : "fail",
      isolation: isSnapshot ? "serializable" : isolation,
    });
  } catch (error) {
    if (!isKhonsuError(error)) throw error;
    return {
      outcome: UNKNOWN_OUTCOMES.includes(error.code) ? "unknown" : "fail",
      ops: unread(steps, isList),
    };
  }
  const { ops, tx } = last!;
  const { ignoredKeys, snapshot, commitTimestamp } = tx;
  // What was ignored has not been written; if it was read back all the same, that read shows what nobody wrote.
  const isKept = ([kind, key]: MicroOp) =>
    (kind !== "w" && kind !== "delete") || !ignoredKeys.includes(String(key));
  return {
    outcome: "ok",
    ops: ops.filter(isKept),
    snapshot,
    timestamp: readOnly ? undefined : commitTimestamp,
  };
}

/** The writes of a transaction that are dropped where somebody else has written. */
export function ignorableSteps(steps: readonly ClusterStep[]): readonly ClusterStep[] {
  const writes = steps.filter(([kind]) => kind === "w" || kind === "delete");
  return writes.length > 1 ? writes.slice(1) : writes;
}

function writeOrIgnore(tx: ClusterTransaction, step: ClusterStep): MicroOp {
  const key = String(step[1]);
  if (step[0] === "delete") {
    tx.delete(key, { onConflict: "ignore" });
    return ["delete", key];
  }
  const value = Number(step[2]);
  tx.write(key, rows(value), { onConflict: "ignore" });
  return ["w", key, value];
}

async function execute(tx: ClusterTransaction, step: ClusterStep, isList: boolean): Promise<MicroOp[]> {
  switch (step[0]) {
    case "insert": {
      const [, key, value] = step;
      tx.write(key, rows(value), { ifAbsent: true });
      return [["r", key, null], written(key, value, isList)];
    }
    case "page": {
      const [, limit, reverse] = step;
      const found: MicroOp[] = [];
      for await (const [key, batch] of tx.scan({ prefix: KEY_PREFIX, limit, reverse }))
        found.push(["r", key, observed(batch, isList)]);
      return found;
    }
    default:
      return [await executeStep(tx, step, isList)];
  }
}

/** What may have been done, where it is not known what was read. */
export function unread(steps: readonly ClusterStep[], isList: boolean): MicroOp[] {
  return steps.flatMap((step): MicroOp[] => {
    if (step[0] === "page") return [];
    return [step[0] === "insert" ? written(step[1], step[2], isList) : step];
  });
}

function written(key: string, value: number, isList: boolean): MicroOp {
  return [isList ? "append" : "w", key, value];
}
