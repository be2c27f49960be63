/**
 * The same buffers under another, equal type: no value is copied. It serves two ends: the chunks of one value get
 * exactly one schema (a `Table` and the IPC writer compare schemas more strictly than `assertSchemaFits` does), and
 * what another copy of apache-arrow made becomes ours (its classes fail our `instanceof`, and the IPC writer would
 * then silently write nothing).
 */
import { Data, type DataType, type Dictionary, type RecordBatch, type Schema, Vector } from "apache-arrow";
import { batchOf } from "./concat.ts";
import { childTypes } from "./layout.ts";

/**
 * The rows of the batch under `schema`, which they fit: the batch itself if its types are those of the schema.
 *
 * @param model a batch whose schema the result gets
 */
export function retypeBatch(batch: RecordBatch, model: RecordBatch): RecordBatch {
  const { fields } = model.schema;
  const isSame = batch.schema.fields.every(
    (field, i) => field.type === fields[i]!.type && field.nullable === fields[i]!.nullable,
  );
  return isSame ? batch : withSchema(batch, model.schema, (dictionary) => dictionary);
}

const adoptedDictionaries = new WeakMap<Vector, Vector>();

/** A batch of another copy of apache-arrow as a batch of ours, over the same buffers. */
export function adoptBatch(batch: RecordBatch, schema: Schema): RecordBatch {
  return withSchema(batch, schema, (dictionary, type) => {
    let adopted = adoptedDictionaries.get(dictionary);
    if (adopted === undefined) {
      adopted = new Vector(dictionary.data.map((data) => adoptData(data, type)));
      adoptedDictionaries.set(dictionary, adopted);
    }
    return adopted;
  });
}

type DictionaryMapping = (dictionary: Vector, type: DataType) => Vector;

function withSchema(batch: RecordBatch, schema: Schema, mapping: DictionaryMapping): RecordBatch {
  const columns = schema.fields.map((field, i) => retype(batch.data.children[i]!, field.type, mapping));
  return batchOf(batch, schema, columns);
}

function adoptData(data: Data, type: DataType): Data {
  return retype(
    data,
    type,
    (dictionary, inner) => new Vector(dictionary.data.map((d) => adoptData(d, inner))),
  );
}

function retype(data: Data, type: DataType, mapping: DictionaryMapping): Data {
  const types = childTypes(type);
  const children = data.children.map((child, i) =>
    child === undefined ? child : retype(child, types[i]!, mapping),
  );
  const dictionary = data.dictionary && mapping(data.dictionary, (type as Dictionary).dictionary);
  const { offset, length, nullCount, variadicBuffers } = data;
  return new Data(
    type,
    offset,
    length,
    nullCount,
    data as Data<DataType>,
    children,
    dictionary,
    variadicBuffers,
  );
}
