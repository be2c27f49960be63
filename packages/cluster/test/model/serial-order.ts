/** A brute-force search for a serial order that explains what everybody saw: slow, obvious, and complete for a few transactions. */
import type { Observation } from "./observation.ts";

/**
 * Whether there is an order of the committed transactions in which each saw what those before it had left, that keeps to
 * real time: who ended before another began comes first. Snapshot readers are exempt.
 */
export function hasSerialOrder(observations: readonly Observation[]): boolean {
  // By timestamp first, since that order is nearly always the right one.
  const committed = observations
    .filter(({ timestamp }) => timestamp !== undefined)
    .sort((a, b) => a.timestamp! - b.timestamp! || Number(b.kind === "writer") - Number(a.kind === "writer"));
  const state = new Map<string, string>();
  const placed = new Set<Observation>();
  const place = (): boolean => {
    if (placed.size === committed.length) return true;
    for (const next of committed) {
      if (placed.has(next) || hasUnplacedPredecessor(next, committed, placed) || !explains(state, next))
        continue;
      placed.add(next);
      for (const after of effects(state, next)) {
        const undo = [...after.keys()].map((key) => [key, state.get(key) ?? ""] as const);
        for (const [key, value] of after) state.set(key, value);
        if (place()) return true;
        for (const [key, value] of undo) state.set(key, value);
      }
      placed.delete(next);
    }
    return false;
  };
  return place();
}

function hasUnplacedPredecessor(
  next: Observation,
  committed: readonly Observation[],
  placed: ReadonlySet<Observation>,
): boolean {
  return committed.some((other) => !placed.has(other) && precedes(other, next));
}

function precedes(a: Observation, b: Observation): boolean {
  return a.end < b.begin && a.kind !== "snapshot reader" && b.kind !== "snapshot reader";
}

function explains(state: ReadonlyMap<string, string>, { reads }: Observation): boolean {
  return reads.every(({ key, value }) => (state.get(key) ?? "") === value);
}

/** What the transaction may leave behind: a put that would append to what conflicts may have done either. */
function effects(state: ReadonlyMap<string, string>, seen: Observation): ReadonlyMap<string, string>[] {
  let results: Map<string, string>[] = [new Map()];
  for (const [key, kind] of seen.writes) {
    if (seen.ignored.includes(key)) continue;
    const before = state.get(key) ?? "";
    const own = String(seen.name);
    const appended = before === "" ? own : `${before} ${own}`;
    const values =
      kind === "ensure"
        ? [before]
        : kind === "delete"
          ? [""]
          : kind === "merge"
            ? [appended]
            : kind === "put or append" && !seen.readBack.has(key)
              ? [own, appended]
              : [own];
    results = results.flatMap((result) => values.map((value) => new Map(result).set(key, value)));
  }
  return results;
}
