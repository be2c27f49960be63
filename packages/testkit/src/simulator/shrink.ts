// Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", TSE 2002): removes ever smaller pieces
// of a list for as long as what is left still fails. The result is 1-minimal unless the budget runs out first.

/**
 * @param items the list that fails
 * @param fails whether a part of the list still fails in the same way
 * @param mayContinue asked before each attempt; false ends the search with the best found so far
 */
export async function shrinkList<T>(
  items: readonly T[],
  fails: (part: readonly T[]) => boolean | Promise<boolean>,
  mayContinue: () => boolean,
): Promise<readonly T[]> {
  let smallest = items;
  let pieces = 2;
  while (smallest.length > 0) {
    const size = Math.max(1, Math.ceil(smallest.length / pieces));
    let removed = false;
    for (let start = 0; start < smallest.length; ) {
      if (!mayContinue()) return smallest;
      const rest = [...smallest.slice(0, start), ...smallest.slice(start + size)];
      if (await fails(rest)) {
        smallest = rest;
        removed = true;
      } else {
        start += size;
      }
    }
    if (size === 1 && !removed) return smallest;
    pieces = Math.min(Math.max(2, removed ? pieces : pieces * 2), Math.max(2, smallest.length));
  }
  return smallest;
}
