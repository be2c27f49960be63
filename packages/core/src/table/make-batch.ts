/**
 * Record batches of columns that are known to be right, without apache-arrow's constructor: that copies the schema and each of its
 * fields for every batch, which for one of a few rows costs more than its rows, and leaves every batch with a schema of its own.
 */
import { Data, type DataType, RecordBatch, type Schema, type Struct } from "apache-arrow";

/** Whether this version of apache-arrow keeps in a batch what is set here, and nothing else. */
function isAsKnown(batch: RecordBatch): boolean {
  return Object.keys(batch).join() === "schema,data,_metadata";
}

let isKnown = false;

/** Of a batch that was made here: whether it has passed `checkBatch`. A set of all batches would cost each collection of garbage more. */
export const CHECKED = Symbol("khonsu/checked");

export type MadeBatch = RecordBatch & { [CHECKED]: boolean };

/** Every column has a list of children and one of variadic buffers; those that have none share one list. */
const NONE: never[] = [];

/** A column without children. */
export function makeColumn(
  type: DataType,
  length: number,
  nullCount: number,
  buffers: readonly [offsets: unknown, values: unknown, validity: Uint8Array],
): Data {
  return new Data(type, 0, length, nullCount, buffers as never, NONE, undefined, NONE);
}

export function isMade(batch: RecordBatch): batch is MadeBatch {
  return (batch as Partial<MadeBatch>)[CHECKED] !== undefined;
}

/**
 * @param struct the type of a row of `schema`
 * @param columns one a field, of its type, each with `length` rows
 */
export function makeBatch(schema: Schema, struct: Struct, length: number, columns: Data[]): RecordBatch {
  const data = new Data(struct, 0, length, 0, undefined, columns, undefined, NONE);
  if (!isKnown) {
    const built = new RecordBatch(schema, data);
    if (!isAsKnown(built)) return built;
    isKnown = true;
  }
  const batch = Object.create(RecordBatch.prototype);
  batch.schema = schema;
  batch.data = data;
  batch._metadata = new Map();
  batch[CHECKED] = false;
  return batch as RecordBatch;
}
