/** What may be a key, and which keys a scan or a watch means. */
import { KhonsuError } from "./errors.ts";
import { type KeyRange, prefixRange } from "./isolation/predicate.ts";

/** The longest key, in UTF-16 code units. */
export const KEY_LENGTH_MAX = 4096;

/** @throws KhonsuError `KHONSU_INVALID_KEY` unless `key` is a well-formed string of 1 to {@link KEY_LENGTH_MAX} code units. */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key !== "string") throw invalidKey(`keys are strings, this is ${typeof key}`);
  if (key.length === 0) throw invalidKey("it is empty");
  if (key.length > KEY_LENGTH_MAX) {
    throw invalidKey(`it has ${key.length} code units, at most ${KEY_LENGTH_MAX} are allowed`);
  }
  if (!key.isWellFormed()) throw invalidKey(`it is not well-formed UTF-16: ${JSON.stringify(key)}`);
}

function invalidKey(why: string): KhonsuError {
  return new KhonsuError("KHONSU_INVALID_KEY", `Cannot use the key: ${why}`);
}

/** Which keys are meant: one, all that begin with a prefix, or a range in the order of UTF-16 code units. */
export type KeySelection =
  | { readonly key: string; readonly prefix?: undefined; readonly from?: undefined; readonly to?: undefined }
  | { readonly prefix: string; readonly key?: undefined; readonly from?: undefined; readonly to?: undefined }
  | {
      /** Inclusive. Default: from the first key. */
      readonly from?: string | undefined;
      /** Exclusive. Default: to the last key. */
      readonly to?: string | undefined;
      readonly key?: undefined;
      readonly prefix?: undefined;
    };

/** @throws KhonsuError `KHONSU_INVALID_RANGE` where the selection contradicts itself or has a wrong type. */
export function toRange(selection: KeySelection): KeyRange {
  const { key, prefix, from, to } = selection;
  for (const bound of [key, prefix, from, to]) {
    if (bound !== undefined && typeof bound !== "string") throw invalidRange("bounds are strings", selection);
  }
  const forms = [key !== undefined, prefix !== undefined, from !== undefined || to !== undefined];
  if (forms.filter(Boolean).length > 1) throw invalidRange("give a key, a prefix, or from and to", selection);
  if (key !== undefined) return { low: key, high: key, isHighIncluded: true };
  if (prefix !== undefined) return prefixRange(prefix);
  if (from !== undefined && to !== undefined && from > to) throw invalidRange("from is above to", selection);
  return { low: from ?? "", high: to, isHighIncluded: false };
}

function invalidRange(why: string, selection: KeySelection): KhonsuError {
  return new KhonsuError("KHONSU_INVALID_RANGE", `Cannot select keys: ${why}: ${JSON.stringify(selection)}`);
}
