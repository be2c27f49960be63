/**
 * Which rows of which source, in order: the plan that a gather carries out. Neighbouring rows of one source are one
 * range, so a concatenation has one range a batch and an update of few rows has few ranges.
 */

/** Rows `start` to `start + length` of the source at position `source`. Invariant: length > 0. */
export interface RowRange {
  readonly source: number;
  readonly start: number;
  readonly length: number;
}

/** Adds rows at the end of a plan and joins them to the last range where they follow it. */
export function pushRange(ranges: RowRange[], source: number, start: number, length: number): void {
  if (length === 0) return;
  const last = ranges.at(-1);
  if (last !== undefined && last.source === source && last.start + last.length === start) {
    ranges[ranges.length - 1] = { source, start: last.start, length: last.length + length };
  } else {
    ranges.push({ source, start, length });
  }
}

/** One range for each source, over all its rows. */
export function wholeRanges(sources: readonly { readonly length: number }[]): readonly RowRange[] {
  const ranges: RowRange[] = [];
  for (const [source, { length }] of sources.entries()) pushRange(ranges, source, 0, length);
  return ranges;
}

/** The rows in a plan. */
export function countRows(ranges: readonly RowRange[]): number {
  let rows = 0;
  for (const range of ranges) rows += range.length;
  return rows;
}
