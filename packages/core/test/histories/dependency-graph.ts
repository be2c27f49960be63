/**
 * The direct serialization graph (Adya 1999): who read whose version, who overwrote it, who overwrote what another had
 * read. Transactions are serializable if it has no cycle.
 */
import type { ModelStore, Read } from "./model.ts";

export interface CommittedTransaction {
  /** For messages. */
  readonly name: string;
  /** Undefined: it wrote nothing. */
  readonly timestamp: number | undefined;
  readonly reads: ReadonlyMap<string, Read>;
}

/** A cycle, as names, or undefined where there is none. */
export function findCycle(
  transactions: readonly CommittedTransaction[],
  store: ModelStore,
): readonly string[] | undefined {
  const writerAt = new Map(transactions.map((each) => [each.timestamp, each]));
  const successors = new Map<CommittedTransaction, Set<CommittedTransaction>>(
    transactions.map((each) => [each, new Set()]),
  );
  const addEdge = (from: CommittedTransaction | undefined, to: CommittedTransaction | undefined) => {
    if (from !== undefined && to !== undefined && from !== to) successors.get(from)!.add(to);
  };
  for (const versions of store.versions.values()) {
    for (const [index, version] of versions.entries()) {
      if (index > 0) addEdge(writerAt.get(versions[index - 1]), writerAt.get(version));
    }
  }
  for (const reader of transactions) {
    for (const [key, { timestamp, isMiss }] of reader.reads) {
      addEdge(writerAt.get(timestamp), reader);
      const changes = (version: number) =>
        version > timestamp && (!isMiss || store.rowsAt(key, version) !== undefined);
      const next = store.versions.get(key)!.find(changes);
      if (next !== undefined) addEdge(reader, writerAt.get(next));
    }
  }
  return cycleIn(successors);
}

function cycleIn(
  successors: ReadonlyMap<CommittedTransaction, ReadonlySet<CommittedTransaction>>,
): readonly string[] | undefined {
  const done = new Set<CommittedTransaction>();
  const path: CommittedTransaction[] = [];
  const visit = (node: CommittedTransaction): readonly string[] | undefined => {
    const at = path.indexOf(node);
    if (at >= 0) return path.slice(at).map(({ name }) => name);
    if (done.has(node)) return undefined;
    path.push(node);
    for (const next of successors.get(node)!) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(node);
    return undefined;
  };
  for (const node of successors.keys()) {
    const cycle = visit(node);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
