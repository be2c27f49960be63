/** Batches for the suites: small ones of two columns, and one with a column of every kind that apache-arrow can build. */
import {
  Binary,
  Bool,
  DateMillisecond,
  Decimal,
  DenseUnion,
  Dictionary,
  DurationMillisecond,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float32,
  Float64,
  Int8,
  Int32,
  Int64,
  List,
  Map_,
  makeData,
  Null,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimeMillisecond,
  TimestampMicrosecond,
  Uint64,
  Utf8,
  Utf8View,
  Vector,
  vectorFromArray,
} from "apache-arrow";

/** `rows` rows of `id` and `value`, the ids from `from` on. */
export function numbered(from: number, rows = 1): RecordBatch {
  const ids = Int32Array.from({ length: rows }, (_, row) => from + row);
  const values = Float64Array.from(ids, (id) => id / 2);
  const fields = [new Field("id", new Int32(), false), new Field("value", new Float64(), true)];
  return batchOf(fields, [
    makeData({ type: new Int32(), length: rows, data: ids }),
    makeData({ type: new Float64(), length: rows, data: values }),
  ]);
}

/** One row of text, nullable. Another schema than `numbered`, with metadata. */
export function labelled(...labels: (string | null)[]): RecordBatch {
  const schema = new Schema(
    [new Field("label", new Utf8(), true, new Map([["unit", "none"]]))],
    new Map([["origin", "suite"]]),
  );
  const data = vectorFromArray(labels, new Utf8()).data[0]!;
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length: labels.length, children: [data] }),
  );
}

/** Rows of a dictionary-encoded column. The dictionary is new with each call. */
export function coded(...words: (string | null)[]): RecordBatch {
  const vector = vectorFromArray(words, new Dictionary(new Utf8(), new Int32()));
  return new Table({ word: vector }).batches[0]!;
}

/** A batch with `rows` rows and no column. */
export function columnless(rows: number): RecordBatch {
  return batchOf([], [], rows);
}

/** Three rows of every kind of column, the second row null. */
export function everyType(): RecordBatch {
  const columns: Record<string, Vector> = {
    int8: vectorFromArray([-128, null, 127], new Int8()),
    int64: vectorFromArray([-(2n ** 63n), null, 2n ** 63n - 1n], new Int64()),
    uint64: vectorFromArray([0n, null, 2n ** 64n - 1n], new Uint64()),
    float32: vectorFromArray([0.5, null, Number.NEGATIVE_INFINITY], new Float32()),
    float64: vectorFromArray([-0, null, Number.NaN], new Float64()),
    bool: vectorFromArray([true, null, false], new Bool()),
    utf8: vectorFromArray(["", null, "\u{1f319} \u0000 é"], new Utf8()),
    binary: vectorFromArray([new Uint8Array(0), null, Uint8Array.of(0, 255)], new Binary()),
    fixed: vectorFromArray([Uint8Array.of(1, 2), null, Uint8Array.of(3, 4)], new FixedSizeBinary(2)),
    date: vectorFromArray([new Date(0), null, new Date(86_400_000)], new DateMillisecond()),
    time: vectorFromArray([0, null, 86_399_999], new TimeMillisecond()),
    timestamp: vectorFromArray([0, null, 1_700_000_000_000], new TimestampMicrosecond("UTC")),
    duration: vectorFromArray([-1n, null, 1n], new DurationMillisecond()),
    decimal: decimals(),
    list: vectorFromArray([[1, null], null, []], new List(new Field("item", new Int32(), true))),
    pair: vectorFromArray(
      [[1, 2], null, [3, null]],
      new FixedSizeList(2, new Field("item", new Int32(), true)),
    ),
    struct: vectorFromArray([{ a: 1, b: "x" }, null, { a: null, b: "" }], structType()),
    map: vectorFromArray([new Map([["k", 1]]), null, new Map()], mapType()),
    dictionary: vectorFromArray(["red", null, "red"], new Dictionary(new Utf8(), new Int32())),
    view: vectorFromArray(["", null, "longer than the twelve bytes that stand in a view"], new Utf8View()),
    union: unions(),
    nothing: vectorFromArray([null, null, null], new Null()),
  };
  const fields = Object.entries(columns).map(([name, column]) => new Field(name, column.type, true));
  return batchOf(
    fields,
    Object.values(columns).map((column) => column.data[0]!),
    3,
  );
}

function structType(): Struct {
  return new Struct([new Field("a", new Int32(), true), new Field("b", new Utf8(), true)]);
}

function mapType(): Map_ {
  const entries = new Struct<{ key: Utf8; value: Int32 }>([
    new Field("key", new Utf8(), false),
    new Field("value", new Int32(), true),
  ]);
  return new Map_(new Field("entries", entries, false));
}

function decimals(): Vector {
  const data = Uint32Array.of(12345, 0, 0, 0, 0, 0, 0, 0, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff);
  return new Vector([
    makeData({
      type: new Decimal(2, 10, 128),
      length: 3,
      nullCount: 1,
      nullBitmap: Uint8Array.of(0b101),
      data,
    }),
  ]);
}

/** A dense union whose children are used out of order: "b", 7, "a". */
function unions(): Vector {
  const type = new DenseUnion(
    [0, 1],
    [new Field("number", new Int32(), true), new Field("text", new Utf8(), true)],
  );
  const texts = vectorFromArray(["a", "b"], new Utf8()).data[0]!;
  const numbers = makeData({ type: new Int32(), length: 1, data: Int32Array.of(7) });
  return new Vector([
    makeData({
      type,
      length: 3,
      typeIds: Int8Array.of(1, 0, 1),
      valueOffsets: Int32Array.of(1, 0, 0),
      children: [numbers, texts],
    }),
  ]);
}

function batchOf(
  fields: Field[],
  children: ReturnType<typeof makeData>[],
  rows = children[0]?.length ?? 0,
): RecordBatch {
  const type = new Struct(fields);
  return new RecordBatch(new Schema(fields), makeData({ type, length: rows, nullCount: 0, children }));
}
