/** Messages are those that apache-arrow would write, by hand where that is simple. */
import { batchForIpc } from "@khonsu/core";
import { everyType, labelled, numbered } from "@khonsu/testkit/storage-suite";
import {
  DataType,
  type Field,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  tableFromIPC,
} from "apache-arrow";
import { expect, test } from "vitest";
import { encodeBatch, encodeSchema } from "./arrow-messages.ts";

/** A batch of the columns that are not dictionary-encoded, which go another way. */
function plainTypes(): RecordBatch {
  const { schema, data } = everyType();
  const chosen = schema.fields.map((field, index) => ({ field, child: data.children[index]! }));
  const columns = chosen.filter(({ field }) => field.name !== "dictionary");
  const fields = columns.map(({ field }) => field);
  const children = columns.map(({ child }) => child);
  return new RecordBatch(
    new Schema(fields),
    makeData({ type: new Struct(fields), length: data.length, children }),
  );
}

/** Of bits apache-arrow writes as many as a buffer has, and here it is as many as there are rows. */
function hasBits({ data }: RecordBatch): boolean {
  return data.children.some((column) => column.nullCount > 0 || DataType.isBool(column.type));
}

function rowsIn(stream: Uint8Array): string[] {
  return tableFromIPC(stream).toArray().map(String);
}

test("schema message and record batch messages are a stream as apache-arrow writes it, whatever came before", () => {
  const nullable = (batch: RecordBatch) => batch.getChild("label")!.nullCount;
  const pairs = [
    [numbered(0, 3), numbered(7, 3)],
    [numbered(0, 3), numbered(7, 4)],
    [labelled("a", null), labelled(null, null)],
    [labelled("a", null), labelled("12345678", null)],
    [labelled("a", "b"), labelled("c", "d")],
    [plainTypes(), plainTypes()],
    [withMetadata("a"), withMetadata("b")],
    [numbered(0, 20).slice(3, 7), numbered(5, 20).slice(3, 7)],
    [labelled("a", "bcd", "", "e").slice(1, 3), labelled("a", "bcd", "", "e").slice(0, 2)],
    [numbered(0, 2000), numbered(5, 2001)],
    [numbered(0, 0), labelled()],
    ...whole().map((batch) => [batch, batch] as const),
  ] as const;
  expect(nullable(pairs[2][1])).toBe(2);
  for (const pair of pairs) {
    for (const batch of [...pair, ...pair]) {
      const stream = RecordBatchStreamWriter.writeAll([batchForIpc(batch)]).toUint8Array(true);
      const { pieces, bytes } = encodeBatch(batch);
      const ours = Buffer.concat([encodeSchema(batch.schema), ...pieces]);
      const end = stream.subarray(-8);
      expect(rowsIn(Buffer.concat([ours, end]))).toEqual(rowsIn(stream));
      if (!hasBits(batch)) expect(Buffer.concat([ours, end]).equals(stream)).toBe(true);
      expect(pieces.reduce((sum, piece) => sum + piece.byteLength, 0)).toBe(bytes);
    }
  }
});

/** Each column without nulls as a batch of its own, and slices of it. */
function whole(): RecordBatch[] {
  const { schema, data } = plainTypes();
  return schema.fields.flatMap((field, index) => {
    const one = new Schema([field]);
    const child = data.children[index]!;
    const batch = new RecordBatch(
      one,
      makeData({ type: new Struct(one.fields), length: 3, children: [child] }),
    );
    return [batch.slice(0, 1), batch.slice(2, 3)];
  });
}

function withMetadata(value: string): RecordBatch {
  const { schema, data } = numbered(1);
  return new RecordBatch(schema, data, new Map([["note", value]]));
}

test("a batch without columns keeps its rows and takes no other's metadata", () => {
  const schema = new Schema([] as Field[]);
  const lengths = [0, 1, 5].map((length) => {
    const batch = new RecordBatch(
      schema,
      makeData({ type: new Struct([] as Field[]), length, children: [] }),
    );
    return Buffer.concat(encodeBatch(batch).pieces).toString("hex");
  });
  expect(new Set(lengths).size).toBe(3);
});
