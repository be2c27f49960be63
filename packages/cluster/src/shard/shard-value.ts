/**
 * A value as a shard keeps it: Arrow IPC bytes, chunk by chunk, as they came. They are decoded only where rows are merged,
 * and the result is remembered. An append shares what was there.
 *
 * Every replica has the same bytes (hard case 29): whatever is encoded here is encoded from freshly decoded bytes, never
 * from what a replica happens to remember, whose chunks depend on who read it when.
 */
import { isKhonsuError, type KhonsuError } from "@khonsu/core";
import {
  appendRows,
  checkRows,
  chunksAddedTo,
  chunksOf,
  decodeBatches,
  encodeBatches,
  fromChunks,
  type StoredValue,
  toBatch,
  xxHash32,
} from "@khonsu/core/values";
import { violated } from "../errors.ts";
import type { MergeBy } from "./transaction.ts";

/** An error that is about the rows themselves, so that every replica meets it alike. */
export class RowError extends Error {
  override readonly name = "RowError";
  override readonly cause: KhonsuError;

  constructor(cause: KhonsuError) {
    super(cause.message);
    this.cause = cause;
  }
}

export class ShardValue {
  readonly #before: ShardValue | undefined;
  readonly #last: Uint8Array;
  readonly #chunkCount: number;
  #decoded: StoredValue | undefined;
  /** Of the bytes in order, chunk after chunk; the same on every replica. */
  readonly hash: number;
  readonly byteLength: number;

  private constructor(before: ShardValue | undefined, last: Uint8Array, decoded?: StoredValue) {
    this.#before = before;
    this.#last = last;
    this.#chunkCount = before === undefined ? 1 : before.#chunkCount + 1;
    this.#decoded = decoded;
    this.hash = xxHash32(last, before?.hash);
    this.byteLength = (before?.byteLength ?? 0) + last.length;
  }

  /** @param bytes what `encodeBatches` made; not looked into. */
  static of(bytes: Uint8Array): ShardValue {
    return new ShardValue(undefined, bytes);
  }

  /** `base` with these chunks behind it. At least one chunk if there is no base. */
  static ofChunks(chunks: readonly Uint8Array[], base?: ShardValue): ShardValue {
    const value = chunks.reduce<ShardValue | undefined>(
      (before, chunk) => new ShardValue(before, chunk),
      base,
    );
    if (value === undefined) throw violated("TX-2", "a value has at least one chunk");
    return value;
  }

  /**
   * `base` with rows added, or merged in by a key column.
   *
   * @throws RowError `KHONSU_SCHEMA_MISMATCH`, `KHONSU_KEY_COLUMN_MISSING`, `KHONSU_KEY_COLUMN_DUPLICATE`,
   *   `KHONSU_UNSUPPORTED_TYPE`, `KHONSU_STORAGE_CORRUPT` where rows are not what `encodeBatches` makes.
   * @throws ClusterError `KHONSU_INVARIANT_VIOLATED` where the bytes of `base` have changed since they came.
   */
  static merge(
    base: ShardValue | undefined,
    rows: Uint8Array,
    by: MergeBy | undefined,
    key: string,
  ): ShardValue {
    const added = aboutRows(() => decodeChunk(rows));
    if (base === undefined) {
      const column = keyColumnFor(by, added, undefined);
      return new ShardValue(
        undefined,
        rows,
        aboutRows(() => appendRows(undefined, toBatch(added), column, key)),
      );
    }
    const before = base.decode();
    const column = keyColumnFor(by, added, before);
    const merge = (to: StoredValue) => aboutRows(() => appendRows(to, toBatch(added), column, key));
    const after = merge(before);
    const isAppended = after === before || chunksAddedTo(before, after) !== undefined;
    if (isAppended) return new ShardValue(base, rows, after);
    return new ShardValue(
      undefined,
      aboutRows(() => encodeBatches(chunksOf(merge(base.#decodeAfresh())))),
    );
  }

  /** The bytes in order, at least one chunk. */
  chunks(): readonly Uint8Array[] {
    const chunks: Uint8Array[] = [];
    for (let at: ShardValue | undefined = this; at !== undefined; at = at.#before) chunks.push(at.#last);
    return chunks.reverse();
  }

  /** The chunks behind those of `older`, if this value grew out of it by appends. */
  chunksBehind(older: ShardValue): readonly Uint8Array[] | undefined {
    const chunks: Uint8Array[] = [];
    let at: ShardValue | undefined = this;
    for (; at !== undefined && at.#chunkCount > older.#chunkCount; at = at.#before) chunks.push(at.#last);
    return at === older ? chunks.reverse() : undefined;
  }

  /** The rows. Decoded once, and remembered. */
  decode(): StoredValue {
    this.#decoded ??= this.#decodeAfresh();
    return this.#decoded;
  }

  #decodeAfresh(): StoredValue {
    try {
      return fromChunks(this.chunks().map((chunk) => toBatch(decodeChunk(chunk))));
    } catch (error) {
      // Rows that were never right were logged so, and every replica finds them alike; damage is this replica's alone.
      const hash = this.chunks().reduce((before, chunk) => xxHash32(chunk, before), 0);
      if (hash !== this.hash) throw violated("TX-2", "the bytes of a value have changed");
      throw isKhonsuError(error) ? new RowError(error) : error;
    }
  }
}

/** Looked through, row by row: clients encode what shards have to merge, and a shard that fails at it fails everywhere. */
function decodeChunk(bytes: Uint8Array): StoredValue {
  const batches = decodeBatches(bytes);
  for (const batch of batches) checkRows(batch);
  return fromChunks(batches);
}

/** The column, unless it is only the default and one side does not have it. */
function keyColumnFor(
  by: MergeBy | undefined,
  rows: StoredValue,
  base: StoredValue | undefined,
): string | undefined {
  if (by === undefined || by.isRequired) return by?.keyColumn;
  const has = (side: StoredValue) => side.schema.fields.some(({ name }) => name === by.keyColumn);
  return has(rows) && (base === undefined || has(base)) ? by.keyColumn : undefined;
}

function aboutRows<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw isKhonsuError(error) ? new RowError(error) : error;
  }
}
