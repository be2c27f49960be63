/** A brute-force search for a serial order that explains what everybody saw: slow, obvious, and complete for a few transactions. */
import type { Observation } from "./client.ts";

/**
 * @param isStrict whether the order must keep to real time: who ended before another began comes first. Snapshot readers
 *   are exempt.
 */
export function hasSerialOrder(observations: readonly Observation[], isStrict: boolean): boolean {
  const committed = observations.filter(({ outcome }) => outcome === "committed");
  const placed = new Set<Observation>();
  const state = new Map<string, number>();
  const place = (): boolean => {
    if (placed.size === committed.length) return true;
    for (const next of committed) {
      if (placed.has(next) || (isStrict && hasUnplacedPredecessor(next, committed, placed))) continue;
      if (!explains(state, next)) continue;
      const undo = new Map([...next.writes.keys()].map((key) => [key, state.get(key)]));
      for (const [key, value] of next.writes) state.set(key, value ?? 0);
      placed.add(next);
      if (place()) return true;
      placed.delete(next);
      for (const [key, value] of undo) state.set(key, value ?? 0);
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
  if (next.kind === "snapshot reader") return false;
  return committed.some(
    (other) => !placed.has(other) && other.kind !== "snapshot reader" && other.end < next.begin,
  );
}

function explains(state: ReadonlyMap<string, number>, { reads }: Observation): boolean {
  for (const [key, value] of reads) if ((state.get(key) ?? 0) !== value) return false;
  return true;
}
