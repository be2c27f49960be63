/**
 * Ranges of keys: the predicates of Khonsu. Keys are ordered as JavaScript compares strings (by UTF-16 code units).
 */

/** All keys from `low` (inclusive) to `high`. */
export interface KeyRange {
  readonly low: string;
  /** Undefined: no upper bound. */
  readonly high: string | undefined;
  readonly isHighIncluded: boolean;
}

export function contains({ low, high, isHighIncluded }: KeyRange, key: string): boolean {
  return key >= low && (high === undefined || key < high || (isHighIncluded && key === high));
}

/** The range of all keys that begin with `prefix`. */
export function prefixRange(prefix: string): KeyRange {
  for (let end = prefix.length; end > 0; end--) {
    const unit = prefix.charCodeAt(end - 1);
    if (unit < 0xffff) {
      const high = prefix.slice(0, end - 1) + String.fromCharCode(unit + 1);
      return { low: prefix, high, isHighIncluded: false };
    }
  }
  return { low: prefix, high: undefined, isHighIncluded: false };
}
