/**
 * When the schema of new rows fits the schema of a committed value.
 *
 * Compared: the number, order and names of fields, their types in depth (bit widths, units, time zones, precision
 * and scale, sizes, type ids and mode of unions, sorted keys of maps, index and value type and order of
 * dictionaries), and nullability. Ignored: metadata, dictionary ids, and the names that lists and maps give to
 * their items, which libraries choose differently.
 */
import {
  type DataType,
  type Decimal,
  type Dictionary,
  type Field,
  type FixedSizeBinary,
  type FixedSizeList,
  type Float,
  type Int,
  type Map_,
  type Schema,
  type Time,
  type Timestamp,
  Type,
  type Union,
} from "apache-arrow";
import { KhonsuError } from "../errors.ts";
import { childTypes } from "./layout.ts";

/** Whether two schemas are the same, nullability included. */
export function schemasMatch(a: Schema, b: Schema): boolean {
  return a === b || (fieldsFit(a.fields, b.fields, true) && fieldsFit(b.fields, a.fields, true));
}

/**
 * Checks that rows of the schema `incoming` can be added to a value of the schema `committed`: as `schemasMatch`,
 * except that a column that cannot be null fits one that can.
 *
 * @param key the key of the value, for the message
 * @throws KhonsuError `KHONSU_SCHEMA_MISMATCH` naming the first field that does not fit and both types
 */
export function assertSchemaFits(committed: Schema, incoming: Schema, key: string): void {
  if (committed === incoming || fieldsFit(committed.fields, incoming.fields, true)) return;
  const count = Math.max(committed.fields.length, incoming.fields.length);
  for (let i = 0; i < count; i++) {
    const a = committed.fields[i];
    const b = incoming.fields[i];
    if (a !== undefined && b !== undefined && fieldFits(a, b, true)) continue;
    throw new KhonsuError(
      "KHONSU_SCHEMA_MISMATCH",
      `Cannot add rows to ${JSON.stringify(key)}: column ${i} is ${describe(a)} and the rows have ${describe(b)}`,
    );
  }
}

function describe(field: Field | undefined): string {
  if (field === undefined) return "absent";
  return `${JSON.stringify(field.name)}: ${describeType(field.type)}${field.nullable ? "" : " not null"}`;
}

/** apache-arrow's own text leaves out some of what is compared, such as nullability and nested names. */
function describeType(type: DataType): string {
  const attributes = attributesOf(type).map((attribute) => String(attribute));
  const children = ((type.typeId === Type.Dictionary ? [] : type.children) ?? []).map(describe);
  if (type.typeId === Type.Dictionary) {
    children.push(describeType((type as Dictionary).indices), describeType((type as Dictionary).dictionary));
  }
  const inside = [...attributes, ...children].join(", ");
  return inside === "" ? Type[type.typeId] : `${Type[type.typeId]}(${inside})`;
}

function fieldsFit(committed: readonly Field[], incoming: readonly Field[], named: boolean): boolean {
  return (
    committed.length === incoming.length &&
    committed.every((field, i) => fieldFits(field, incoming[i]!, named))
  );
}

function fieldFits(committed: Field, incoming: Field, named: boolean): boolean {
  return (
    (!named || committed.name === incoming.name) &&
    (committed.nullable || !incoming.nullable) &&
    typeFits(committed.type, incoming.type)
  );
}

function typeFits(committed: DataType, incoming: DataType): boolean {
  if (committed === incoming) return true;
  if (committed.typeId !== incoming.typeId) return false;
  const attributes = attributesOf(incoming);
  if (!attributesOf(committed).every((attribute, i) => attribute === attributes[i])) return false;
  if (committed.typeId === Type.Dictionary) {
    const a = committed as Dictionary;
    const b = incoming as Dictionary;
    return typeFits(a.indices, b.indices) && typeFits(a.dictionary, b.dictionary);
  }
  if (childTypes(committed).length === 0) return childTypes(incoming).length === 0;
  const named = committed.typeId === Type.Struct || committed.typeId === Type.Union;
  if (committed.typeId === Type.Map) return entriesFit(committed as Map_, incoming as Map_);
  return fieldsFit(committed.children, incoming.children, named);
}

/** The entries of a map are a struct whose names carry no meaning. */
function entriesFit(committed: Map_, incoming: Map_): boolean {
  return fieldsFit(committed.children[0]!.type.children, incoming.children[0]!.type.children, false);
}

type Attribute = string | number | boolean;

/** What tells two types with one type id apart, children aside. */
function attributesOf(type: DataType): readonly Attribute[] {
  switch (type.typeId) {
    case Type.Int:
      return [(type as Int).bitWidth, (type as Int).isSigned];
    case Type.Float:
      return [(type as Float).precision];
    case Type.Decimal:
      return [(type as Decimal).bitWidth, (type as Decimal).precision, (type as Decimal).scale];
    case Type.Date:
    case Type.Interval:
    case Type.Duration:
      return [(type as DataType & { unit: number }).unit];
    case Type.Time:
      return [(type as Time).unit, (type as Time).bitWidth];
    case Type.Timestamp:
      return [(type as Timestamp).unit, (type as Timestamp).timezone ?? ""];
    case Type.FixedSizeBinary:
      return [(type as FixedSizeBinary).byteWidth];
    case Type.FixedSizeList:
      return [(type as FixedSizeList).listSize];
    case Type.Map:
      return [(type as Map_).keysSorted];
    case Type.Union:
      return [(type as Union).mode, ...(type as Union).typeIds];
    case Type.Dictionary:
      return [(type as Dictionary).isOrdered];
    default:
      return [];
  }
}
