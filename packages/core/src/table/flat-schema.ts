/**
 * Schemas whose columns are flat: of fixed width, bits, text or bytes, none nested, none with a dictionary. That is most of what a
 * store is given. The IPC messages of their batches differ in a few numbers only, so both are known here once for each schema:
 * the schema message, and the metadata of a batch message as a template.
 */
import { Data, type DataType, RecordBatchStreamWriter, type Schema, Struct } from "apache-arrow";
import { BatchMetadata } from "./batch-metadata.ts";
import { hasLargeOffsets, layoutOf } from "./layout.ts";
import { makeBatch } from "./make-batch.ts";
import { sameSchema } from "./same-schema.ts";

export type FlatLayout = "bits" | "fixed" | "bytes" | "large-bytes";

export interface FlatSchema {
  readonly schema: Schema;
  /** The type of a row. */
  readonly struct: Struct;
  readonly layouts: readonly FlatLayout[];
  /** The IPC message of the schema, which begins every stream of it. */
  readonly message: Uint8Array;
  readonly metadata: BatchMetadata;
}

const known = new WeakMap<Schema, FlatSchema | "not flat">();
/** Found last, the latest first: batches that apache-arrow builds have a schema object each. */
const recent: FlatSchema[] = [];
const RECENT_MAX = 8;
/** Elements of a row. Wider ones gain nothing here, and the template is made of a row. */
const WIDTH_MAX = 2 ** 16;

/** What is known of `schema`; undefined unless all of its columns are flat. */
export function flatSchemaOf(schema: Schema): FlatSchema | undefined {
  const found = known.get(schema);
  if (found !== undefined) return found === "not flat" ? undefined : found;
  const at = recent.findIndex((each) => sameSchema(each.schema, schema));
  const flat = at < 0 ? create(schema) : recent.splice(at, 1)[0]!;
  if (flat !== undefined) {
    recent.unshift(flat);
    recent.length = Math.min(recent.length, RECENT_MAX);
  }
  known.set(schema, flat ?? "not flat");
  return flat;
}

/** How the column is laid out; undefined if it is not flat. */
export function flatLayoutOf(type: DataType): FlatLayout | undefined {
  const layout = layoutOf(type);
  if (layout === "bits" || layout === "fixed") return layout;
  if (layout !== "bytes") return undefined;
  return hasLargeOffsets(type) ? "large-bytes" : "bytes";
}

/** How many buffers a column has in a message: which of its rows are valid, offsets, values. */
export function bufferCount(layout: FlatLayout): number {
  return layout === "bytes" || layout === "large-bytes" ? 3 : 2;
}

function create(schema: Schema): FlatSchema | undefined {
  const layouts: FlatLayout[] = [];
  for (const { type } of schema.fields) {
    const layout = flatLayoutOf(type);
    if (layout === undefined || (layout === "fixed" && widthOf(type) > WIDTH_MAX)) return undefined;
    layouts.push(layout);
  }
  if (layouts.length === 0) return undefined;
  const struct = new Struct(schema.fields);
  const { message, metadata } = messagesOf(schema, struct);
  const buffers = layouts.reduce((sum, layout) => sum + bufferCount(layout), 0);
  const template = BatchMetadata.of(metadata, layouts.length, buffers);
  return template && { schema, struct, layouts, message, metadata: template };
}

/** As apache-arrow writes them, for a batch of one row. */
function messagesOf(schema: Schema, struct: Struct): { message: Uint8Array; metadata: Uint8Array } {
  const columns = schema.fields.map(({ type }) => zeroRow(type));
  const row = makeBatch(schema, struct, 1, columns);
  const stream = RecordBatchStreamWriter.writeAll([row]).toUint8Array(true);
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const first = 8 + view.getInt32(4, true);
  const second = first + 8 + view.getInt32(first + 4, true);
  return { message: stream.slice(0, first), metadata: stream.slice(first, second) };
}

function zeroRow(type: DataType): Data {
  switch (flatLayoutOf(type)) {
    case "bytes":
      return new Data(type, 0, 1, 0, [new Int32Array(2), new Uint8Array(0)] as never);
    case "large-bytes":
      return new Data(type, 0, 1, 0, [new BigInt64Array(2), new Uint8Array(0)] as never);
    case "bits":
      return new Data(type, 0, 1, 0, [undefined, new Uint8Array(1)] as never);
    default:
      return new Data(type, 0, 1, 0, [undefined, new type.ArrayType(widthOf(type))] as never);
  }
}

function widthOf(type: DataType): number {
  return new Data(type, 0, 0, 0).stride;
}
