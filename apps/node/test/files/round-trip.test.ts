/** Rows of every type survive the way into Arrow and out again, and over each format. A failure prints its seed. */
import { type RecordBatch, RecordBatchStreamWriter, type Schema, tableFromIPC } from "apache-arrow";
import fc from "fast-check";
import { expect, test } from "vitest";
import { batchOf } from "../../src/files/build-batch.ts";
import { readCsv } from "../../src/files/csv-read.ts";
import { csvHeader, csvRows } from "../../src/files/csv-write.ts";
import { jsonLines, readJsonLines } from "../../src/files/json-lines.ts";
import { fromJson, type Plain, toJson } from "../../src/files/plain.ts";
import { columnReaders } from "../../src/files/rows.ts";
import { parseSchema, schemaText } from "../../src/files/type-text.ts";
import { columnsOf, schemas } from "./random-rows.ts";

const cases = schemas.chain((schema) =>
  fc.record({ schema: fc.constant(schema), columns: columnsOf(schema) }),
);

function columnsIn(batches: readonly RecordBatch[], schema: Schema): Plain[][] {
  return schema.fields.map((_, i) =>
    batches.flatMap((batch) => {
      const read = columnReaders(batch)[i]!;
      return Array.from({ length: batch.numRows }, (_, row) => read(row));
    }),
  );
}

async function* bytes(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    // In small pieces, so that characters and records are cut in the middle.
    const whole = Buffer.from(text);
    for (let at = 0; at < whole.length; at += 7) yield whole.subarray(at, at + 7);
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test("the text of a schema is read back as the same schema", () => {
  fc.assert(
    fc.property(schemas, (schema) => {
      const again = parseSchema(schemaText(schema));
      expect(schemaText(again)).toBe(schemaText(schema));
      expect(again.fields.map(({ type }) => String(type))).toEqual(
        schema.fields.map(({ type }) => String(type)),
      );
    }),
  );
});

test("rows → Arrow → rows", () => {
  fc.assert(
    fc.property(cases, ({ schema, columns }) => {
      expect(columnsIn([batchOf(schema, columns)], schema)).toEqual(columns);
    }),
    { numRuns: 500 },
  );
});

test("rows → Arrow → IPC → rows, sliced too", () => {
  fc.assert(
    fc.property(cases, fc.nat(12), ({ schema, columns }, from) => {
      const writer = new RecordBatchStreamWriter();
      writer.write(batchOf(schema, columns));
      const table = tableFromIPC(writer.finish().toUint8Array(true));
      expect(columnsIn(table.batches, schema)).toEqual(columns);
      const sliced = table.batches.map((batch) => batch.slice(from));
      expect(columnsIn(sliced, schema)).toEqual(columns.map((column) => column.slice(from)));
    }),
    { numRuns: 300 },
  );
});

test("rows → CSV → rows", async () => {
  await fc.assert(
    fc.asyncProperty(cases, fc.integer({ min: 1, max: 20 }), async ({ schema, columns }, rowsPerBatch) => {
      const batch = batchOf(schema, columns);
      const text = [csvHeader(schema), ...csvRows(batch)];
      const read = await all(readCsv(bytes(...text), "test.csv", { schema, rowsPerBatch }));
      expect(columnsIn(read, schema)).toEqual(columns);
    }),
    { numRuns: 300 },
  );
});

test("JSON keeps the sign of zero", () => {
  expect(toJson([-0, 0, { a: -0 }])).toBe('[-0,0,{"a":-0}]');
  expect(fromJson("[-0]")).toEqual([-0]);
});

test("rows → JSON lines → rows", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ schema, columns }) => {
      const lines = [...jsonLines(batchOf(schema, columns))].map((line) => line.trimEnd());
      const source = (async function* () {
        yield* lines;
      })();
      const read = await all(readJsonLines(source, "test.jsonl", { schema }));
      expect(columnsIn(read, schema)).toEqual(columns);
    }),
    { numRuns: 300 },
  );
});
