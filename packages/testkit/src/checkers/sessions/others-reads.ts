// Guarantees about what others see of a session (Terry et al. 1994): monotonic writes and writes follow reads. Who sees a write sees
// what the session had written, or read, before it: in the same key by the order of versions, in another key within one transaction.
import { describeOperation, operationName } from "../../history/describe.ts";
import type { History, Key } from "../../history/operation.ts";
import { type CheckResult, Judgement } from "../violation.ts";
import { type Event, type SessionTransaction, sessionsOf } from "./session.ts";
import { Versions } from "./versions.ts";

/** AN-25: the writes of a process take effect in its order. */
export function checkMonotonicWrites(history: History): CheckResult {
  return checkOthersReads(history, "write", "had written");
}

/** AN-26: a write takes effect after what its process had read before. */
export function checkWritesFollowReads(history: History): CheckResult {
  return checkOthersReads(history, "read", "had read");
}

/** The newest version of a key that a process had read or written up to each of its transactions. */
interface Progress {
  readonly places: number[];
  readonly ranks: number[];
  readonly indices: number[];
}

interface Write {
  readonly process: number;
  /** Place of the transaction in its session. */
  readonly place: number;
  readonly index: number;
}

function checkOthersReads(history: History, kind: Event["kind"], verb: string): CheckResult {
  const judgement = new Judgement();
  const progress = new Map<number, Map<Key, Progress>>();
  const writes = new Map<Key, Map<number, Write>>();
  const sessions = sessionsOf(history, new Versions(history));
  const blame = (earlier: number, write: number, reader: number | undefined, key: Key): void => {
    const names = [earlier, write, ...(reader === undefined ? [] : [reader])];
    const what =
      reader === undefined
        ? `${operationName(write)} wrote an older version of ${JSON.stringify(key)} than its process ${verb} in ${operationName(earlier)}.`
        : `${operationName(reader)} sees what ${operationName(write)} wrote, but an older version of ${JSON.stringify(key)} than its process ${verb} in ${operationName(earlier)} before.`;
    const lines = [
      what,
      ...[...new Set(names)].map((index) => `  ${describeOperation(history[index]!, index)}`),
    ];
    judgement.violation({ transactions: [...new Set(names)], key, explanation: lines.join("\n") });
  };
  for (const [process, transactions] of sessions) {
    const own = new Map<Key, Progress>();
    progress.set(process, own);
    for (const [place, { index, events }] of transactions.entries()) {
      for (const event of events) {
        const before = own.get(event.key);
        if (event.kind === "write" && before !== undefined) {
          judgement.judged++;
          if (before.ranks.at(-1)! > event.rank) blame(before.indices.at(-1)!, index, undefined, event.key);
        }
        if (event.kind === kind) advance(own, event, place, index);
        if (event.kind === "write") rememberWrite(writes, event, { process, place, index });
      }
    }
  }
  for (const transactions of sessions.values()) {
    for (const transaction of transactions) checkReader(transaction, writes, progress, judgement, blame);
  }
  return judgement.result();
}

function advance(own: Map<Key, Progress>, { key, rank }: Event, place: number, index: number): void {
  const known = own.get(key) ?? { places: [], ranks: [], indices: [] };
  own.set(key, known);
  if (known.ranks.length > 0 && known.ranks.at(-1)! >= rank) return;
  known.places.push(place);
  known.ranks.push(rank);
  known.indices.push(index);
}

function rememberWrite(writes: Map<Key, Map<number, Write>>, { key, rank }: Event, write: Write): void {
  const byRank = writes.get(key) ?? new Map<number, Write>();
  writes.set(key, byRank.set(rank, write));
}

/**
 * For each process, the last write of it that the reader has seen binds what the reader sees of other keys from then on. Earlier reads of the
 * transaction are not bound: a store without snapshots may have changed since.
 */
function checkReader(
  reader: SessionTransaction,
  writes: ReadonlyMap<Key, ReadonlyMap<number, Write>>,
  progress: ReadonlyMap<number, ReadonlyMap<Key, Progress>>,
  judgement: Judgement,
  blame: (earlier: number, write: number, reader: number, key: Key) => void,
): void {
  const last = new Map<number, Write>();
  for (const { kind, key, rank } of reader.events) {
    if (kind === "write") continue;
    for (const [process, write] of last) {
      const known = progress.get(process)!.get(key);
      const at = known === undefined ? -1 : known.places.findLastIndex((place) => place <= write.place);
      if (at < 0) continue;
      judgement.judged++;
      if (known!.ranks[at]! > rank) blame(known!.indices[at]!, write.index, reader.index, key);
    }
    noteSeenWrites(writes.get(key), rank, last);
  }
}

function noteSeenWrites(
  byRank: ReadonlyMap<number, Write> | undefined,
  rank: number,
  last: Map<number, Write>,
): void {
  if (byRank === undefined) return;
  for (let seen = 1; seen <= rank; seen++) {
    const write = byRank.get(seen);
    if (write !== undefined && write.place >= (last.get(write.process)?.place ?? 0))
      last.set(write.process, write);
  }
}
