/**
 * Types of another copy of apache-arrow as types of ours. Two copies meet in one process as soon as an application
 * loads Arrow with `require` and we with `import`; apache-arrow 21 marks its objects so that copies recognise each
 * other's batches, but not each other's types.
 */
import {
  Binary,
  BinaryView,
  Bool,
  DataType,
  Date_,
  Decimal,
  Dictionary,
  Duration,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float,
  Int,
  Interval,
  LargeBinary,
  LargeList,
  LargeUtf8,
  List,
  Map_,
  Null,
  Schema,
  Struct,
  Time,
  Timestamp,
  Type,
  Union,
  Utf8,
  Utf8View,
} from "apache-arrow";
import { KhonsuError } from "../errors.ts";

/** Whether a type, or any inside it, comes from another copy of apache-arrow. */
export function isForeign(type: DataType): boolean {
  return !(type instanceof DataType);
}

/** @throws KhonsuError `KHONSU_UNSUPPORTED_TYPE` for a type that this version of apache-arrow does not have */
export function adoptSchema(schema: Schema): Schema {
  return new Schema(schema.fields.map(adoptField), new Map(schema.metadata));
}

function adoptField(field: Field): Field {
  return new Field(field.name, adoptType(field.type), field.nullable, new Map(field.metadata));
}

function adoptType(type: DataType): DataType {
  const { typeId } = type;
  const simple = SIMPLE.get(typeId);
  if (simple !== undefined) return new simple();
  const children = (): Field[] => (type.children as Field[]).map(adoptField);
  const same = <T extends DataType>() => type as T;
  switch (typeId) {
    case Type.Int:
      return new Int(same<Int>().isSigned, same<Int>().bitWidth);
    case Type.Float:
      return new Float(same<Float>().precision);
    case Type.Decimal:
      return new Decimal(same<Decimal>().scale, same<Decimal>().precision, same<Decimal>().bitWidth);
    case Type.Date:
      return new Date_(same<Date_>().unit);
    case Type.Time:
      return new Time(same<Time>().unit, same<Time>().bitWidth);
    case Type.Timestamp:
      return new Timestamp(same<Timestamp>().unit, same<Timestamp>().timezone);
    case Type.Interval:
      return new Interval(same<Interval>().unit);
    case Type.Duration:
      return new Duration(same<Duration>().unit);
    case Type.FixedSizeBinary:
      return new FixedSizeBinary(same<FixedSizeBinary>().byteWidth);
    case Type.FixedSizeList:
      return new FixedSizeList(same<FixedSizeList>().listSize, children()[0]!);
    case Type.List:
      return new List(children()[0]!);
    case Type.LargeList:
      return new LargeList(children()[0]!);
    case Type.Struct:
      return new Struct(children());
    case Type.Map:
      return new Map_(children()[0] as Map_["children"][0], same<Map_>().keysSorted);
    case Type.Union:
      return new Union(same<Union>().mode, same<Union>().typeIds, children());
    case Type.Dictionary: {
      const { dictionary, indices, id, isOrdered } = same<Dictionary>();
      return new Dictionary(
        adoptType(dictionary),
        adoptType(indices) as Dictionary["indices"],
        id,
        isOrdered,
      );
    }
  }
  throw new KhonsuError(
    "KHONSU_UNSUPPORTED_TYPE",
    `Cannot handle the Arrow type ${type} (type id ${typeId})`,
  );
}

/** Types without parameters. */
const SIMPLE: ReadonlyMap<Type, new () => DataType> = new Map<Type, new () => DataType>([
  [Type.Null, Null],
  [Type.Bool, Bool],
  [Type.Binary, Binary],
  [Type.LargeBinary, LargeBinary],
  [Type.BinaryView, BinaryView],
  [Type.Utf8, Utf8],
  [Type.LargeUtf8, LargeUtf8],
  [Type.Utf8View, Utf8View],
]);
