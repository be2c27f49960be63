/**
 * The physical layout behind each Arrow type: how its buffers and children are arranged in a `Data`. The kernels
 * (gather, validation, capacity) branch on the layout; what a value means matters only to key equality.
 * Source: the Arrow columnar format, "Physical memory layout". The types are those of apache-arrow 21.
 */
import {
  type Data,
  type DataType,
  type Dictionary,
  type FixedSizeList,
  Type,
  type Union,
  UnionMode,
} from "apache-arrow";
import { KhonsuError } from "../errors.ts";

export type Layout =
  /** no buffers at all */
  | "null"
  /** one bit a row, from the bit at `Data.offset` */
  | "bits"
  /** `stride` elements of the type's array a row */
  | "fixed"
  /** offsets into a buffer of bytes */
  | "bytes"
  /** sixteen bytes a row that hold the value or point into one of several buffers */
  | "view"
  /** offsets into one child */
  | "list"
  /** `stride` rows of one child a row */
  | "fixed-size-list"
  /** children as long as the parent */
  | "struct"
  /** a type id a row, children as long as the parent, no validity of its own */
  | "sparse-union"
  /** a type id and a position in the child of that type a row, no validity of its own */
  | "dense-union"
  /** indices into a dictionary that hangs beside the column */
  | "dictionary";

const LAYOUTS: ReadonlyMap<Type, Layout> = new Map<Type, Layout>([
  [Type.Null, "null"],
  [Type.Bool, "bits"],
  [Type.Int, "fixed"],
  [Type.Float, "fixed"],
  [Type.Decimal, "fixed"],
  [Type.Date, "fixed"],
  [Type.Time, "fixed"],
  [Type.Timestamp, "fixed"],
  [Type.Interval, "fixed"],
  [Type.Duration, "fixed"],
  [Type.FixedSizeBinary, "fixed"],
  [Type.Binary, "bytes"],
  [Type.LargeBinary, "bytes"],
  [Type.Utf8, "bytes"],
  [Type.LargeUtf8, "bytes"],
  [Type.BinaryView, "view"],
  [Type.Utf8View, "view"],
  [Type.List, "list"],
  [Type.LargeList, "list"],
  [Type.Map, "list"],
  [Type.FixedSizeList, "fixed-size-list"],
  [Type.Struct, "struct"],
  [Type.Dictionary, "dictionary"],
]);

/**
 * The layout of a type.
 *
 * @throws KhonsuError `KHONSU_UNSUPPORTED_TYPE` for a type that apache-arrow 21 does not have
 */
export function layoutOf(type: DataType): Layout {
  if (type.typeId === Type.Union)
    return (type as Union).mode === UnionMode.Dense ? "dense-union" : "sparse-union";
  const layout = LAYOUTS.get(type.typeId);
  if (layout === undefined) {
    throw new KhonsuError(
      "KHONSU_UNSUPPORTED_TYPE",
      `Cannot handle the Arrow type ${type} (type id ${type.typeId})`,
    );
  }
  return layout;
}

/** Whether the type's offsets are 64 bits wide. */
export function hasLargeOffsets(type: DataType): boolean {
  return type.typeId === Type.LargeBinary || type.typeId === Type.LargeUtf8 || type.typeId === Type.LargeList;
}

/** The types of the children, in order; for a dictionary none, since its values hang beside the column. */
export function childTypes(type: DataType): readonly DataType[] {
  if (type.typeId === Type.Dictionary) return [];
  return ((type.children ?? []) as { readonly type: DataType }[]).map((field) => field.type);
}

/** Elements of the buffer in one row of the fixed layout, rows of the child in one row of a fixed-size list. */
export function strideOf(type: DataType, data: Data): number {
  return type.typeId === Type.FixedSizeList ? (type as FixedSizeList).listSize : data.stride;
}

/** Whether the type or anything inside it, dictionary values included, satisfies `test`. */
export function someType(type: DataType, test: (type: DataType) => boolean): boolean {
  if (test(type)) return true;
  if (type.typeId === Type.Dictionary) return someType((type as Dictionary).dictionary, test);
  return childTypes(type).some((child) => someType(child, test));
}
