/**
 * Rows as plain objects: batches are made of them, and read into them. It is for stores of small records, whose batches have one row or a
 * few: apache-arrow's builders make a dozen objects for each column of each batch, and a vector for each value that is read.
 */
import { type RecordBatch, type Schema, Struct } from "apache-arrow";
import { KhonsuError } from "../errors.ts";
import { assertChecked } from "./check-batch.ts";
import { type ColumnCodec, columnCodec } from "./column-codec.ts";
import { makeBatch } from "./make-batch.ts";

/** What stands in the columns of a row, by name. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Makes batches of one schema, and reads them. Values are what apache-arrow's vectors give: numbers, bigints where a column has 64 bits, booleans,
 * strings, milliseconds for dates and timestamps, `Uint8Array`s for bytes (views of the batch), and null.
 *
 * @example
 * const accounts = new RowCodec<{ owner: string; cents: number }>(
 *   new Schema([new Field("owner", new Utf8(), false), new Field("cents", new Float64(), false)]),
 * );
 * tx.write("account/7", accounts.toBatch([{ owner: "Ada", cents: 100 }]));
 * accounts.row(tx.read("account/7")!).cents; // 100
 */
export class RowCodec<R extends object = Row> {
  readonly schema: Schema;
  readonly #struct: Struct;
  readonly #names: readonly string[];
  readonly #columns: readonly ColumnCodec[];

  /**
   * @param schema at least one column, of different names, each flat: of fixed width, booleans, text or bytes
   * @throws KhonsuError `KHONSU_INVALID_BATCH` for columns of one name, or none; `KHONSU_UNSUPPORTED_TYPE` for another type
   */
  constructor(schema: Schema) {
    this.schema = schema;
    this.#struct = new Struct(schema.fields);
    this.#names = schema.fields.map(({ name }) => name);
    if (this.#names.length === 0 || new Set(this.#names).size < this.#names.length) {
      throw new KhonsuError("KHONSU_INVALID_BATCH", "Cannot make rows: columns have names, one each");
    }
    this.#columns = schema.fields.map(columnCodec);
  }

  /**
   * A batch with a row an object, in order. What is undefined is null; properties that are no columns are passed over.
   *
   * @throws KhonsuError `KHONSU_INVALID_BATCH` where a value is not one of its column's type, or null and the column not nullable
   */
  toBatch(rows: readonly R[]): RecordBatch {
    const columns = this.#columns.map((column, i) => {
      const name = this.#names[i]!;
      return column.write(rows.map((row) => (row as Row)[name]));
    });
    const batch = makeBatch(this.schema, this.#struct, rows.length, columns);
    assertChecked(batch);
    return batch;
  }

  /**
   * Row `index` of `batch`, which has the columns of the schema in the same order. Default: the first.
   *
   * @throws KhonsuError `KHONSU_SCHEMA_MISMATCH` if it has others; RangeError if it has no such row
   */
  row(batch: RecordBatch, index = 0): R {
    const { children } = batch.data;
    if (!(index >= 0 && index < batch.numRows)) throw new RangeError(`row ${index} of ${batch.numRows}`);
    const names = this.#names;
    if (batch.schema !== this.schema) this.#checkColumns(batch);
    const row: Record<string, unknown> = {};
    for (let i = 0; i < names.length; i++) row[names[i]!] = this.#columns[i]!.read(children[i]!, index);
    return row as R;
  }

  /** All rows in order. @throws KhonsuError `KHONSU_SCHEMA_MISMATCH` */
  rows(batch: RecordBatch): R[] {
    return Array.from({ length: batch.numRows }, (_, index) => this.row(batch, index));
  }

  #checkColumns({ schema }: RecordBatch): void {
    const { fields } = this.schema;
    const isSame =
      schema.fields.length === fields.length &&
      fields.every((field, i) => {
        const theirs = schema.fields[i]!;
        return (
          theirs.name === field.name &&
          (theirs.type === field.type || String(theirs.type) === String(field.type))
        );
      });
    if (isSame) return;
    throw new KhonsuError(
      "KHONSU_SCHEMA_MISMATCH",
      `Cannot read rows of ${schema} as those of ${this.schema}`,
    );
  }
}
