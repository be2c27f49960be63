// Long fork (Sovran et al., SOSP 2011): two transactions that saw two updates in opposite orders, one the first without the second, the
// other the second without the first. Snapshot isolation forbids it, parallel snapshot isolation does not.
import { describeOperation, operationName } from "../../history/describe.ts";
import type { History, Key } from "../../history/operation.ts";
import { sessionsOf } from "../sessions/session.ts";
import { Versions } from "../sessions/versions.ts";
import { type CheckResult, Judgement } from "../violation.ts";

/** What one transaction saw of two keys. */
interface Sight {
  readonly index: number;
  readonly first: number;
  readonly second: number;
}

/**
 * AN-22: over any two keys that are read together, what the readers saw can be put in one order. Versions are known for lists, for
 * registers that are written once, and where each writer read what it replaced.
 */
export function checkLongFork(history: History): CheckResult {
  const judgement = new Judgement();
  for (const { keys, sights } of pairsRead(history).values()) {
    judgement.judged += sights.length;
    sights.sort((a, b) => a.first - b.first || a.second - b.second);
    let highest = sights[0]!;
    for (const sight of sights) {
      if (sight.second >= highest.second) {
        highest = sight;
        continue;
      }
      const [a, b] = keys.map((key) => JSON.stringify(key));
      const lines = [
        `${operationName(highest.index)} saw a newer ${b} and an older ${a} than ${operationName(sight.index)}: they disagree on which update came first.`,
        ...[highest.index, sight.index].map((index) => `  ${describeOperation(history[index]!, index)}`),
      ];
      judgement.violation({ transactions: [highest.index, sight.index], explanation: lines.join("\n") });
    }
  }
  return judgement.result();
}

function pairsRead(history: History): Map<string, { keys: readonly [Key, Key]; sights: Sight[] }> {
  const pairs = new Map<string, { keys: readonly [Key, Key]; sights: Sight[] }>();
  for (const transactions of sessionsOf(history, new Versions(history)).values()) {
    for (const { index, events } of transactions) {
      const seen = new Map(
        events.flatMap((event) => (event.kind === "read" ? [[event.key, event.rank] as const] : [])),
      );
      const sorted = [...seen].sort(([a], [b]) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
      for (const [at, [a, first]] of sorted.entries()) {
        for (const [b, second] of sorted.slice(at + 1)) {
          const name = JSON.stringify([a, b]);
          const pair = pairs.get(name) ?? { keys: [a, b] as const, sights: [] };
          pairs.set(name, pair);
          pair.sights.push({ index, first, second });
        }
      }
    }
  }
  return pairs;
}
