// The sessions of a history: for each process its transactions in order, with what each saw of others and what it wrote.
import type { History, Key, MicroOp, Observed } from "../../history/operation.ts";
import type { Versions } from "./versions.ts";

/** A read of a key before any own write to it, or a write, with the rank of the version. */
export interface Event {
  readonly kind: "read" | "write";
  readonly key: Key;
  readonly rank: number;
}

export interface SessionTransaction {
  /** Position in the history. */
  readonly index: number;
  readonly events: readonly Event[];
}

/**
 * Per process the transactions that are ok, by invocation. A session guarantees what follows an acknowledged transaction; one with
 * unknown outcome may take effect at any later time.
 */
export function sessionsOf(history: History, versions: Versions): Map<number, SessionTransaction[]> {
  const order = [...history.keys()]
    .filter((index) => history[index]!.outcome === "ok")
    .sort((a, b) => history[a]!.invoke - history[b]!.invoke || a - b);
  const sessions = new Map<number, SessionTransaction[]>();
  for (const index of order) {
    const { process, ops } = history[index]!;
    const transactions = sessions.get(process) ?? [];
    sessions.set(process, transactions);
    transactions.push({ index, events: eventsOf(ops, versions) });
  }
  return sessions;
}

function eventsOf(ops: readonly MicroOp[], versions: Versions): Event[] {
  const events: Event[] = [];
  const written = new Set<Key>();
  const read = (key: Key, observed: Observed | undefined): void => {
    const rank = observed === undefined || written.has(key) ? undefined : versions.ofRead(key, observed);
    if (rank !== undefined) events.push({ kind: "read", key, rank });
  };
  for (const op of ops) {
    if (op[0] === "r") read(op[1], op[2]);
    else if (op[0] === "scan") for (const [key, observed] of op[2] ?? []) read(key, observed);
    else if (op[0] === "w" || op[0] === "append" || (op[0] === "cas" && op[4] !== false)) {
      if (op[0] === "cas") read(op[1], op[2]);
      written.add(op[1]);
      const rank = versions.ofWrite(op[1], op[0] === "cas" ? op[3] : op[2]);
      if (rank !== undefined) events.push({ kind: "write", key: op[1], rank });
    }
  }
  return events;
}
