// Guarantees about what a session itself sees (Terry et al. 1994): monotonic reads and read your writes.
import { describeOperation, operationName } from "../../history/describe.ts";
import type { History, Key } from "../../history/operation.ts";
import { type CheckResult, Judgement } from "../violation.ts";
import { type Event, sessionsOf } from "./session.ts";
import { Versions } from "./versions.ts";

/** AN-23: no process sees an older version of a key after it has seen a newer one. */
export function checkMonotonicReads(history: History): CheckResult {
  return checkOwnReads(history, "read", (process, key, before, now) => [
    `Process ${process} went back in ${JSON.stringify(key)}: ${operationName(now)} saw an older version than ${operationName(before)} before.`,
  ]);
}

/** AN-24: no process misses a write of its own that was acknowledged before. */
export function checkReadYourWrites(history: History): CheckResult {
  return checkOwnReads(history, "write", (process, key, before, now) => [
    `Process ${process} misses its own write: ${operationName(now)} saw a version of ${JSON.stringify(key)} without what ${operationName(before)} wrote.`,
  ]);
}

/** Reads must not be older than the events of this kind before them. */
function checkOwnReads(
  history: History,
  kind: Event["kind"],
  words: (process: number, key: Key, before: number, now: number) => string[],
): CheckResult {
  const judgement = new Judgement();
  for (const [process, transactions] of sessionsOf(history, new Versions(history))) {
    const newest = new Map<Key, { rank: number; index: number }>();
    for (const { index, events } of transactions) {
      for (const event of events) {
        const before = newest.get(event.key);
        if (event.kind === "read" && before !== undefined) {
          judgement.judged++;
          if (event.rank < before.rank) {
            const lines = [
              ...words(process, event.key, before.index, index),
              ...both(history, before.index, index),
            ];
            const explanation = lines.join("\n");
            judgement.violation({ transactions: [before.index, index], key: event.key, explanation });
          }
        }
        if (event.kind === kind && event.rank > (before?.rank ?? -1))
          newest.set(event.key, { rank: event.rank, index });
      }
    }
  }
  return judgement.result();
}

function both(history: History, before: number, now: number): string[] {
  return [before, now].map((index) => `  ${describeOperation(history[index]!, index)}`);
}
