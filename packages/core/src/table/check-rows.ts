/**
 * Whether what the rows of a batch point to is there: offsets that do not fall, indices within dictionaries and children. In time
 * of the rows, so only for batches from whoever may not be believed; `checkBatch` looks at the sizes alone, and comes first.
 */
import { type Data, type DataType, type Dictionary, type RecordBatch, Type, type Union } from "apache-arrow";
import { KhonsuError } from "../errors.ts";
import { childTypes, type Layout, layoutOf, strideOf } from "./layout.ts";

/** @throws KhonsuError `KHONSU_INVALID_BATCH` */
export function checkRows(batch: RecordBatch): void {
  for (const [i, field] of batch.schema.fields.entries()) {
    checkData(batch.data.children[i]!, field.type, `column ${JSON.stringify(field.name)}`);
  }
}

function checkData(data: Data, type: DataType, name: string): void {
  const layout = layoutOf(type);
  checkChildren(type, layout, name);
  switch (layout) {
    case "bytes":
    case "list":
      checkOffsets(data, name);
      break;
    case "view":
      checkViews(data, name);
      break;
    case "fixed":
    case "fixed-size-list":
      if (!(strideOf(type, data) >= 0)) throw invalid(`${name} has ${strideOf(type, data)} items a row`);
      break;
    case "sparse-union":
    case "dense-union":
      checkUnion(data, type as Union, name, layout === "dense-union");
      break;
    case "dictionary":
      checkIndices(data, name);
      for (const chunk of data.dictionary!.data) checkData(chunk, (type as Dictionary).dictionary, name);
      return;
    default:
      break;
  }
  for (const [i, child] of childTypes(type).entries()) checkData(data.children[i]!, child, name);
}

/** Lists have one child, and that of a map has two: apache-arrow meets others when it reads a row, not before. */
function checkChildren(type: DataType, layout: Layout, name: string): void {
  const children = childTypes(type);
  const isList = layout === "list" || layout === "fixed-size-list";
  if (isList && children.length !== 1) throw invalid(`${name} has ${children.length} kinds of items`);
  if (type.typeId !== Type.Map) return;
  const [entry] = children;
  if (entry?.typeId !== Type.Struct || childTypes(entry).length !== 2) {
    throw invalid(`the entries of ${name} are no keys with values`);
  }
}

function checkOffsets(data: Data, name: string): void {
  const offsets = data.valueOffsets as ArrayLike<number | bigint> | undefined;
  for (let i = 1; i <= data.length && offsets !== undefined; i++) {
    if (offsets[i]! < offsets[i - 1]!) throw invalid(`the offsets of ${name} fall at row ${i - 1}`);
  }
}

/** Sixteen bytes a row: a length, and above 12 bytes the number of a buffer and a position in it. */
function checkViews(data: Data, name: string): void {
  const values = data.values as Uint8Array;
  const views = new DataView(values.buffer, values.byteOffset, values.byteLength);
  for (let i = 0; i < data.length; i++) {
    const length = views.getInt32(16 * i, true);
    if (length >= 0 && length <= 12) continue;
    const size = data.variadicBuffers[views.getInt32(16 * i + 8, true)]?.length ?? -1;
    const from = views.getInt32(16 * i + 12, true);
    if (data.getValid(i) && !(length > 0 && from >= 0 && from + length <= size)) {
      throw invalid(`row ${i} of ${name} points beyond its buffer`);
    }
  }
}

function checkIndices(data: Data, name: string): void {
  const size = data.dictionary!.length;
  const indices = data.values as ArrayLike<number | bigint>;
  for (let i = 0; i < data.length; i++) {
    const index = Number(indices[i]);
    if (data.getValid(i) && !(index >= 0 && index < size)) {
      throw invalid(`row ${i} of ${name} is number ${index} of a dictionary of ${size}`);
    }
  }
}

function checkUnion(data: Data, type: Union, name: string, isDense: boolean): void {
  for (let i = 0; i < data.length; i++) {
    const child = type.typeIdToChildIndex[data.typeIds[i]!];
    if (child === undefined || child >= data.children.length)
      throw invalid(`row ${i} of ${name} is of no type of it`);
    const place = isDense ? Number(data.valueOffsets[i]) : i;
    if (!(place >= 0 && place < data.children[child]!.length))
      throw invalid(`row ${i} of ${name} points beyond its child`);
  }
}

function invalid(reason: string): KhonsuError {
  return new KhonsuError("KHONSU_INVALID_BATCH", `Cannot take the batch: ${reason}`);
}
