/**
 * Where each key value stands among the rows of a value, kept from one version of the value to the next.
 *
 * One index is shared by all versions that grew out of one another, branches included: an append adds positions and
 * nothing is ever removed, since an update in place keeps a row's key and position. A version therefore trusts a
 * position only if it lies below its own number of rows and its own row there has the key (on another branch the
 * position belongs to another row).
 *
 * Invariant: for every version that uses the index, each of its rows below the version's mark is in it.
 */
import type { KhonsuError } from "../errors.ts";
import type { KeyReader, KeyValue } from "./key-value.ts";

export class KeyIndex {
  /** A list only where branches put one key at several positions. */
  readonly #positions = new Map<KeyValue, number | number[]>();
  #entries = 0;

  /** Positions held, those of abandoned branches included. */
  get entries(): number {
    return this.#entries;
  }

  /**
   * The row of a version that has the key, or -1.
   *
   * @param rows how many rows the version has
   * @param keyAt the key of a row of the version
   */
  find(key: KeyValue, rows: number, keyAt: KeyReader): number {
    const positions = this.#positions.get(key);
    if (positions === undefined) return -1;
    if (typeof positions === "number") return isKeyAt(positions, key, rows, keyAt) ? positions : -1;
    return positions.find((position) => isKeyAt(position, key, rows, keyAt)) ?? -1;
  }

  /** Adds a position; one that is known already is left alone. */
  add(key: KeyValue, position: number): void {
    const positions = this.#positions.get(key);
    if (positions === undefined) {
      this.#positions.set(key, position);
    } else if (typeof positions === "number") {
      if (positions === position) return;
      this.#positions.set(key, [positions, position]);
    } else {
      if (positions.includes(position)) return;
      positions.push(position);
    }
    this.#entries++;
  }
}

function isKeyAt(position: number, key: KeyValue, rows: number, keyAt: KeyReader): boolean {
  return position < rows && sameValueZero(keyAt(position), key);
}

function sameValueZero(a: KeyValue | null, b: KeyValue): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

/**
 * Adds rows `from` to `to` of a version to the index that holds the rows before them. Null keys are left out.
 *
 * @throws KhonsuError `KHONSU_KEY_COLUMN_DUPLICATE` if a key stands twice among the rows
 */
export function indexRows(
  index: KeyIndex,
  from: number,
  to: number,
  keyAt: KeyReader,
  duplicate: DuplicateError,
): void {
  for (let row = from; row < to; row++) {
    const key = keyAt(row);
    if (key === null) continue;
    if (index.find(key, row, keyAt) >= 0) throw duplicate(key);
    index.add(key, row);
  }
}

/** Makes the error for a key that stands twice. */
export type DuplicateError = (key: KeyValue) => KhonsuError;
