/**
 * When the segments of a key are merged, so that a key of many small appends loads in few pieces. A segment's tier is the
 * order of magnitude of its rows, base 8. When the last 8 segments or more of a key are all of the tier of the last one or
 * below, they become one. Each row is so rewritten at most once a tier, that is log8(rows) times, and a key has at most
 * 7 segments a tier besides the sealed ones, which are large and never merged again (SF-7).
 */

/** As many segments make one of the next tier. */
export const MERGE_FANOUT = 8;
/** A segment of as many bytes or more is sealed: reading it costs more than starting to read it. */
export const SEALED_BYTES = 4 * 2 ** 20;

/** What the policy looks at. */
export interface Sized {
  readonly rows: number;
  readonly bytes: number;
}

/** The order of magnitude of a segment; infinite once it is sealed. */
export function tierOf(segment: Sized): number {
  if (segment.bytes >= SEALED_BYTES) return Number.POSITIVE_INFINITY;
  return segment.rows < 1 ? 0 : Math.floor(Math.log2(segment.rows) / Math.log2(MERGE_FANOUT));
}

/**
 * How many segments at the end of `segments` should become one; 0 if none should. Where the merged segment would complete a run
 * of the next tier, that is merged with it at once.
 */
export function mergeDue(segments: readonly Sized[]): number {
  if (segments.length < MERGE_FANOUT) return 0;
  let merged: Sized | undefined;
  let keep = segments.length;
  while (keep > 0) {
    const from = runBefore(segments, keep, tierOf(merged ?? segments[keep - 1]!));
    const pieces = keep - from + (merged === undefined ? 0 : 1);
    if (pieces < MERGE_FANOUT) break;
    merged = sum(segments.slice(from, keep), merged);
    keep = from;
  }
  return segments.length - keep;
}

/** Where the segments before `end` begin that are all of `tier` or below; `end` if a sealed one comes first. */
function runBefore(segments: readonly Sized[], end: number, tier: number): number {
  if (tier === Number.POSITIVE_INFINITY) return end;
  let from = end;
  while (from > 0 && tierOf(segments[from - 1]!) <= tier) from--;
  return from;
}

function sum(segments: readonly Sized[], more: Sized = { rows: 0, bytes: 0 }): Sized {
  return segments.reduce((a, b) => ({ rows: a.rows + b.rows, bytes: a.bytes + b.bytes }), more);
}
