// What the histories of a run are held against. Strict transactions are strictly serializable among themselves; with readers of
// snapshots they are serializable; read committed has its own model, and sees what was acknowledged before it began.

import { checkTransactions, type Model } from "../../checkers/index.ts";
import type { History, Operation, Value } from "../../history/index.ts";
import { ensure } from "../failure.ts";
import { modelOf, type Profile } from "./profiles.ts";

export interface Seen {
  readonly history: History;
  /** Those of them that read a snapshot of any replica. */
  readonly snapshots: ReadonlySet<Operation>;
}

export function checkHistory(profile: Profile, { history, snapshots }: Seen): void {
  const model = modelOf(profile);
  const strict = history.filter((operation) => !snapshots.has(operation));
  if (model === "read-committed") checkFresh(strict);
  if (model === "strict-serializable") check(history, "serializable");
  check(model === "strict-serializable" ? strict : history, model);
}

function check(history: History, model: Model): void {
  const { anomalies } = checkTransactions(history, { model });
  const found = anomalies.find(({ isProscribed }) => isProscribed);
  ensure(found === undefined, found?.kind ?? "", () => found?.explanation ?? "");
}

/** TX-24: under read committed a read of a list shows every append that was acknowledged before its transaction began. */
export function checkFresh(history: History): void {
  const appends = history
    .filter(({ outcome }) => outcome === "ok")
    .flatMap(({ complete = Number.POSITIVE_INFINITY, ops }) =>
      ops.flatMap((op) => (op[0] === "append" ? [{ key: op[1], value: op[2], complete }] : [])),
    );
  for (const { invoke, ops, outcome, process } of history) {
    if (outcome !== "ok") continue;
    for (const op of ops) {
      if (op[0] !== "r") continue;
      const shown = new Set<Value>(Array.isArray(op[2]) ? (op[2] as readonly Value[]) : []);
      const missed = appends.find(
        ({ complete, key, value }) => key === op[1] && complete < invoke && !shown.has(value),
      );
      ensure(
        missed === undefined,
        "stale",
        () => `client ${process} misses ${missed?.value}, acknowledged before, in ${JSON.stringify(op)}`,
      );
    }
  }
}
