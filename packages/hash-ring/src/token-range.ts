/**
 * Ranges of tokens with their owners: what each node owns of the ring, and which ranges change owner between two
 * rings. This is the ring's own movement; `movement.ts` has the one of shards, which is what a cluster carries out.
 */
import { TOKEN_COUNT, type Token } from "./hash.ts";
import type { HashRing } from "./hash-ring.ts";
import type { NodeId } from "./ring-node.ts";

/** The tokens from `start` to `end`, both included; no range goes around the end of the circle. */
export interface TokenRange {
  readonly start: Token;
  readonly end: Token;
  readonly owner: NodeId;
}

/** A range of tokens that has another owner in the later ring. */
export interface RangeMovement {
  readonly start: Token;
  readonly end: Token;
  readonly from: NodeId;
  readonly to: NodeId;
}

/** All ranges in token order, without gap or overlap; neighbours may have one owner. */
export function tokenRanges(ring: HashRing): readonly TokenRange[] {
  const { tokens } = ring.points;
  const ranges: TokenRange[] = [];
  let start = 0;
  for (let point = 0; point < tokens.length; point += 1) {
    const end = tokens[point]!;
    if (end < start) continue; // a second virtual node on the same token owns nothing
    ranges.push({ start, end, owner: ring.memberAt(point).id });
    start = end + 1;
  }
  if (start < TOKEN_COUNT) ranges.push({ start, end: TOKEN_COUNT - 1, owner: ring.memberAt(0).id });
  return ranges;
}

/** How many tokens each node owns, by id, in the order of ids. The sum is 2^32. */
export function ownedTokens(ring: HashRing): ReadonlyMap<NodeId, number> {
  const owned = new Map(ring.members.map(({ id }) => [id, 0]));
  for (const { start, end, owner } of tokenRanges(ring))
    owned.set(owner, owned.get(owner)! + (end - start + 1));
  return owned;
}

/** The ranges that change owner from `before` to `after`, in token order. */
export function rangeMovements(before: HashRing, after: HashRing): readonly RangeMovement[] {
  const old = tokenRanges(before);
  const movements: RangeMovement[] = [];
  let at = 0;
  for (const range of tokenRanges(after)) {
    let start = range.start;
    while (start <= range.end) {
      while (old[at]!.end < start) at += 1;
      const end = Math.min(old[at]!.end, range.end);
      if (old[at]!.owner !== range.owner)
        movements.push({ start, end, from: old[at]!.owner, to: range.owner });
      start = end + 1;
    }
  }
  return movements;
}
