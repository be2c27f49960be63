/**
 * Rows to be added to whatever a key holds when the transaction commits: appends and upserts that did not read the key.
 * Consecutive ones of a kind are combined, so that many small ones cost what their rows cost.
 */
import type { RecordBatch } from "apache-arrow";
import { appendRows, chunksOf, type StoredValue } from "./table/stored-value.ts";

interface Step {
  readonly rows: StoredValue;
  /** Undefined: rows are only added. */
  readonly keyColumn: string | undefined;
}

export class MergeOperation {
  readonly kind = "merge";
  readonly #key: string;
  readonly #steps: readonly Step[];
  /** The last result, since a transaction that reads its own rows back computes the same again at commit. */
  #last: { readonly base: StoredValue | undefined; readonly result: StoredValue } | undefined = undefined;

  private constructor(key: string, steps: readonly Step[]) {
    this.#key = key;
    this.#steps = steps;
  }

  /** @throws KhonsuError `KHONSU_KEY_COLUMN_MISSING`, `KHONSU_KEY_COLUMN_DUPLICATE` where the rows do not fit the key column. */
  static of(key: string, rows: RecordBatch, keyColumn: string | undefined): MergeOperation {
    return new MergeOperation(key, [{ rows: appendRows(undefined, rows, keyColumn, key), keyColumn }]);
  }

  /** @throws KhonsuError also `KHONSU_SCHEMA_MISMATCH`, where the rows do not fit the former ones. */
  followedBy(rows: RecordBatch, keyColumn: string | undefined): MergeOperation {
    const last = this.#steps[this.#steps.length - 1]!;
    if (last.keyColumn !== keyColumn) {
      const step = { rows: appendRows(undefined, rows, keyColumn, this.#key), keyColumn };
      return new MergeOperation(this.#key, [...this.#steps, step]);
    }
    const step = { rows: appendRows(last.rows, rows, keyColumn, this.#key), keyColumn };
    return new MergeOperation(this.#key, [...this.#steps.slice(0, -1), step]);
  }

  /** @throws KhonsuError `KHONSU_SCHEMA_MISMATCH`, `KHONSU_KEY_COLUMN_MISSING`, `KHONSU_KEY_COLUMN_DUPLICATE`. */
  merge(base: StoredValue | undefined): StoredValue {
    if (this.#last !== undefined && this.#last.base === base) return this.#last.result;
    let value = base;
    for (const { rows, keyColumn } of this.#steps) {
      if (value === undefined) {
        value = rows;
        continue;
      }
      for (const chunk of chunksOf(rows)) value = appendRows(value, chunk, keyColumn, this.#key);
    }
    if (value === undefined) throw new Error("Invariant: a merge has at least one step");
    this.#last = { base, result: value };
    return value;
  }
}
