/**
 * A value as a list of chunks with one schema, so that an append costs what the new rows cost. A value never
 * changes: an append makes a new one that shares its chunks with the old, like a persistent list, and any number of
 * versions may be alive. What is worked out on the way (the combined batch, where keys stand) is remembered.
 *
 * Two things keep a value of very many appends small:
 * - Chunks of similar size are merged, `FAN_OUT` at a time (the logarithmic method of Bentley and Saxe 1980), so
 *   that each row is copied at most three times, and n rows that came in small appends stand in about 200 chunks
 *   beside one for each 2^18 rows.
 * - Once combined, the list is one chunk.
 */
import { type RecordBatch, type Schema, Table } from "apache-arrow";
import { addLoads, fits, type Load, loadOf } from "./capacity.ts";
import { concatBatches, gatherRows } from "./concat.ts";
import { duplicateKey, keyColumnIndex } from "./key-column.ts";
import { indexRows, KeyIndex } from "./key-index.ts";
import { type KeyReader, keyReader } from "./key-value.ts";
import { pushRange, type RowRange } from "./ranges.ts";
import { retypeBatch } from "./retype.ts";
import { assertSchemaFits } from "./schema.ts";

/** How many chunks of similar size there may be before they are merged into one. */
const FAN_OUT = 64;

/** Chunks of more rows than this are not merged, so no append copies more than 64 times as many: 2^20. */
const MERGED_ROWS_MAX = 16_384;

/** Rows that a key index may hold for other branches before this version builds its own. */
const STALE_ENTRIES_MAX = 1024;

/** How far the rows of a version have been put into a key index. Invariant: rows below `rows` are in `index`. */
interface KeyMark {
  readonly column: number;
  index: KeyIndex;
  rows: number;
}

/** The marks of single batches, by batch, so that a plain value gets its index once. */
const marksOfBatch = new WeakMap<RecordBatch, KeyMark[]>();

export class ChunkedValue {
  /** Invariant: every chunk has exactly these fields (see `retypeBatch`). */
  readonly schema: Schema;
  readonly numRows: number;
  /** The same for all values that grew out of each other by adding rows. */
  readonly #lineage: object;
  /** The rows before `#last`. */
  #parent: ChunkedValue | undefined;
  #last: RecordBatch;
  /** How many chunks of the size class of `#last` end the list. */
  readonly #run: number;
  /** Worked out once something is appended. Invariant: the chunks combine into one batch. */
  #load: Load | undefined;
  readonly #marks: KeyMark[];
  #reader: { readonly column: number; readonly read: KeyReader } | undefined;

  private constructor(
    parent: ChunkedValue | undefined,
    last: RecordBatch,
    marks: KeyMark[],
    lineage: object = parent === undefined ? marks : parent.#lineage,
  ) {
    this.schema = parent?.schema ?? last.schema;
    this.numRows = (parent?.numRows ?? 0) + last.numRows;
    this.#parent = parent;
    this.#last = last;
    const continues = parent !== undefined && sizeClass(parent.#last) === sizeClass(last);
    this.#run = continues ? parent.#run + 1 : 1;
    this.#marks = marks;
    this.#lineage = lineage;
  }

  /** The batch as a value of one chunk. */
  static of(batch: RecordBatch): ChunkedValue {
    const marks = marksOfBatch.get(batch) ?? [];
    marksOfBatch.set(batch, marks);
    return new ChunkedValue(undefined, batch, marks);
  }

  /**
   * The value with the rows of `batch` at its end.
   *
   * @param key the key of the value, for messages
   * @throws KhonsuError `KHONSU_SCHEMA_MISMATCH` if the rows do not fit (see `assertSchemaFits`)
   * @throws KhonsuError `KHONSU_UNSUPPORTED_TYPE` if the value would no longer fit into one batch
   */
  append(batch: RecordBatch, key: string): ChunkedValue {
    assertSchemaFits(this.schema, batch.schema, key);
    if (batch.numRows === 0) return this;
    return this.#link(retypeBatch(batch, this.#last));
  }

  /**
   * The value with the rows of `batch` merged in by key: a row whose key stands in the value replaces that row where
   * it is, the others follow at the end in their order. Rows with a null key match nothing and are always added.
   *
   * It costs what the new rows cost if none matches, a copy of the whole value if one does, and once, for the first
   * upsert on a value that did not grow out of another upsert, the reading of the key column.
   *
   * @param keyColumn the name of the column that holds the keys
   * @param key the key of the value, for messages
   * @throws KhonsuError as `append`, and
   * @throws KhonsuError `KHONSU_KEY_COLUMN_MISSING` if the value or the rows lack the column
   * @throws KhonsuError `KHONSU_KEY_COLUMN_DUPLICATE` if a key stands twice in the value or twice in the rows
   * @throws KhonsuError `KHONSU_UNSUPPORTED_TYPE` if the column's type has no equality (lists, structs, maps, unions)
   */
  upsert(batch: RecordBatch, keyColumn: string, key: string): ChunkedValue {
    const column = keyColumnIndex(this.schema, keyColumn, key);
    keyColumnIndex(batch.schema, keyColumn, key);
    assertSchemaFits(this.schema, batch.schema, key);
    const incoming = ChunkedValue.of(batch);
    incoming.#indexUpToDate(column, key);
    const matches = this.#match(incoming, column, key);
    return matches === undefined
      ? this.append(batch, key)
      : this.#merge(retypeBatch(batch, this.#last), matches);
  }

  /**
   * Checks that no key stands twice in the column.
   *
   * @throws KhonsuError as `upsert` for the column
   */
  assertUniqueKeys(keyColumn: string, key: string): void {
    this.#indexUpToDate(keyColumnIndex(this.schema, keyColumn, key), key);
  }

  /** The chunks in order; not to be changed. At least one. */
  chunks(): readonly RecordBatch[] {
    const chunks: RecordBatch[] = [];
    for (let node: ChunkedValue | undefined = this; node !== undefined; node = node.#parent)
      chunks.push(node.#last);
    return chunks.reverse();
  }

  /** The rows behind those of `base`, if this value came from it by adding rows; otherwise undefined. */
  chunksAddedTo(base: ChunkedValue): readonly RecordBatch[] | undefined {
    if (base.#lineage !== this.#lineage || base.numRows > this.numRows) return undefined;
    const added: RecordBatch[] = [];
    let node: ChunkedValue | undefined = this;
    for (; node !== undefined && node.numRows > base.numRows; node = node.#parent) {
      const start = node.numRows - node.#last.numRows;
      added.push(start >= base.numRows ? node.#last : node.#last.slice(base.numRows - start));
    }
    return added.reverse();
  }

  /** All rows in one batch: combined once, without a copy if there is one chunk. */
  toBatch(): RecordBatch {
    if (this.#parent !== undefined) {
      this.#last = concatBatches(this.chunks());
      this.#parent = undefined;
      this.#reader = undefined;
      marksOfBatch.set(this.#last, this.#marks);
    }
    return this.#last;
  }

  /** All rows as a table over the chunks, without a copy. */
  toTable(): Table {
    return new Table(this.schema, [...this.chunks()]);
  }

  #link(chunk: RecordBatch): ChunkedValue {
    const marks = this.#marks.map((mark) => ({ ...mark }));
    const linked = new ChunkedValue(this, chunk, marks);
    this.#load ??= loadOf(this.#last);
    linked.#load = addLoads(this.#load, loadOf(chunk, this.#last));
    if (!fits(this.schema, linked.#load)) {
      linked.#load = loadOf(linked.toBatch());
      return linked;
    }
    return linked.#run < FAN_OUT || chunk.numRows > MERGED_ROWS_MAX ? linked : linked.#mergeRun();
  }

  /** The same rows with the run of similar chunks at the end as one chunk. */
  #mergeRun(): ChunkedValue {
    const size = sizeClass(this.#last);
    const chunks: RecordBatch[] = [];
    let rest: ChunkedValue | undefined = this;
    for (
      ;
      rest !== undefined && chunks.length < FAN_OUT && sizeClass(rest.#last) <= size;
      rest = rest.#parent
    ) {
      chunks.push(rest.#last);
    }
    const linked = new ChunkedValue(rest, concatBatches(chunks.reverse()), this.#marks, this.#lineage);
    linked.#load = this.#load;
    return linked.#run < FAN_OUT || linked.#last.numRows > MERGED_ROWS_MAX ? linked : linked.#mergeRun();
  }

  #keyAt(column: number): KeyReader {
    return (row) => {
      let node: ChunkedValue = this;
      while (row < node.numRows - node.#last.numRows) node = node.#parent!;
      if (node.#reader?.column !== column) {
        node.#reader = { column, read: keyReader(node.#last.data.children[column]!) };
      }
      return node.#reader!.read(row - (node.numRows - node.#last.numRows));
    };
  }

  #markOf(column: number): KeyMark {
    const known = this.#marks.find((mark) => mark.column === column);
    if (known !== undefined) return known;
    const mark = { column, index: new KeyIndex(), rows: 0 };
    this.#marks.push(mark);
    return mark;
  }

  #indexUpToDate(column: number, key: string): KeyIndex {
    const mark = this.#markOf(column);
    if (mark.index.entries > 2 * this.numRows + STALE_ENTRIES_MAX) {
      mark.index = new KeyIndex();
      mark.rows = 0;
    }
    if (mark.rows < this.numRows) {
      indexRows(mark.index, mark.rows, this.numRows, this.#keyAt(column), (value) =>
        duplicateKey(this.schema, column, value, key),
      );
      mark.rows = this.numRows;
    }
    return mark.index;
  }

  /** For each incoming row the row of this value that it replaces, or -1; undefined if there is none at all. */
  #match(incoming: ChunkedValue, column: number, key: string): readonly number[] | undefined {
    const index = this.#indexUpToDate(column, key);
    const keyAt = this.#keyAt(column);
    const incomingKeyAt = incoming.#keyAt(column);
    const matches: number[] = [];
    let matched = false;
    for (let row = 0; row < incoming.numRows; row++) {
      const value = incomingKeyAt(row);
      const match = value === null ? -1 : index.find(value, this.numRows, keyAt);
      matches.push(match);
      matched ||= match >= 0;
    }
    return matched ? matches : undefined;
  }

  #merge(incoming: RecordBatch, matches: readonly number[]): ChunkedValue {
    const chunks = this.chunks();
    const merged = gatherRows(chunks[0]!, [...chunks, incoming], mergeRanges(chunks, matches));
    // Rows below the old number kept their keys and positions, so what is known about them stays true.
    const marks = this.#marks.map((mark) => ({ ...mark }));
    marksOfBatch.set(merged, marks);
    return new ChunkedValue(undefined, merged, marks);
  }
}

function sizeClass(batch: RecordBatch): number {
  return Math.floor(Math.log2(Math.max(batch.numRows, 1)) / Math.log2(FAN_OUT));
}

/** The rows of the chunks with each match replaced by its incoming row, then the incoming rows without a match. */
function mergeRanges(chunks: readonly RecordBatch[], matches: readonly number[]): readonly RowRange[] {
  const incoming = chunks.length;
  const replacements = Array.from(matches, (position, row) => ({ position, row }))
    .filter(({ position }) => position >= 0)
    .sort((a, b) => a.position - b.position);
  const ranges: RowRange[] = [];
  let next = 0;
  let start = 0;
  for (const [source, { numRows }] of chunks.entries()) {
    let at = 0;
    for (; next < replacements.length && replacements[next]!.position < start + numRows; next++) {
      const { position, row } = replacements[next]!;
      pushRange(ranges, source, at, position - start - at);
      pushRange(ranges, incoming, row, 1);
      at = position - start + 1;
    }
    pushRange(ranges, source, at, numRows - at);
    start += numRows;
  }
  for (const [row, position] of matches.entries()) if (position < 0) pushRange(ranges, incoming, row, 1);
  return ranges;
}
