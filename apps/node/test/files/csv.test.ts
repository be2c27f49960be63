/** What CSV is taken for, and what is said about CSV that is wrong. */
import type { RecordBatch } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { readCsv } from "../../src/files/csv-read.ts";
import { csvHeader, csvRows } from "../../src/files/csv-write.ts";
import { rowsOf } from "../../src/files/rows.ts";
import { parseSchema, schemaText } from "../../src/files/type-text.ts";

async function read(text: string | Uint8Array, options: Parameters<typeof readCsv>[2] = {}) {
  const batches: RecordBatch[] = [];
  const source = (async function* () {
    yield typeof text === "string" ? Buffer.from(text) : text;
  })();
  for await (const batch of readCsv(source, "f.csv", options)) batches.push(batch);
  return {
    schema: schemaText(batches[0]!.schema),
    rows: batches.flatMap((batch) => [...rowsOf(batch)]),
    sizes: batches.map(({ numRows }) => numRows),
  };
}

describe("types are inferred", () => {
  test.each([
    ["1\n-2\n", "int64"],
    ["9223372036854775807\n", "int64"],
    ["9223372036854775808\n", "utf8"],
    ["01234\n", "utf8"],
    ["1\n1.5\n1e3\n", "float64"],
    ["NaN\n1.5\n", "float64"],
    ["true\nFALSE\n", "bool"],
    ["2026-11-22\n", "date32"],
    ["2026-02-30\n", "utf8"],
    ["2026-11-22\n2026-11-22T10:00:00.5\n", "timestamp[us]"],
    ["2026-11-22T10:00:00Z\n2026-11-22T10:00:00+02:00\n", "timestamp[us, UTC]"],
    ["2026-11-22T10:00:00Z\n2026-11-22T10:00:00\n", "utf8"],
    ["2026-11-22T10:00:00.123456789Z\n", "timestamp[ns, UTC]"],
    ["20261122\n", "int64"],
    ["\n\n", "utf8"],
    ["1\n\nx\n", "utf8"],
    ['1\n""\n', "utf8"],
  ])("%j is %s", async (cells, type) => {
    const { schema } = await read(`c\n${cells}`);
    expect(schema).toBe(`c: ${type}`);
  });

  test("from the first rows, and later ones must fit", async () => {
    const rows = Array.from({ length: 20 }, (_, i) => `${i}\n`).join("");
    const { sizes } = await read(`c\n${rows}`, { inferRows: 8, rowsPerBatch: 8 });
    expect(sizes).toEqual([8, 8, 4]);
    await expect(read(`c\n${rows}x\n`, { inferRows: 8, rowsPerBatch: 8 })).rejects.toMatchObject({
      code: "KHONSU_FILE_INVALID",
      message: 'Cannot read f.csv, line 22: column "c": "x" is no whole number',
    });
  });
});

test("empty cells are null, quoted empty ones are text, and quotes, line ends and marks of order are understood", async () => {
  const { rows } = await read('\uFEFFa,b\r\n,""\r\n"x ""y""\nz",é\r\n\r\n');
  expect(rows).toEqual([
    { a: null, b: "" },
    { a: 'x "y"\nz', b: "é" },
  ]);
});

test("a header without rows gives the schema", async () => {
  expect(await read("a,b\n")).toEqual({ schema: "a: utf8, b: utf8", rows: [], sizes: [0] });
});

test("a schema orders and types the columns", async () => {
  const schema = parseSchema("tags: list<utf8>, at: timestamp[s, UTC], amount: decimal(8, 2), zip: utf8");
  const { rows } = await read('zip,amount,at,tags\n01234,-0.5,2026-11-22 10:00:00,"[""a"",null]"\n', {
    schema,
  });
  expect(rows).toEqual([{ tags: ["a", null], at: "2026-11-22T10:00:00Z", amount: "-0.50", zip: "01234" }]);
});

test.each([
  ["", {}, "Cannot read f.csv: it has no header line"],
  ["a,a\n", {}, 'line 1: two columns are named "a"'],
  ["a,\n", {}, "line 1: column 2 has no name"],
  ["a,b\n1,2\n1\n", {}, "line 3: it has 1 cells and the header 2"],
  ['a,b\n"1\n2",2\n1,2,3\n', {}, "line 4: it has 3 cells and the header 2"],
  ['a\n"1\n', {}, "Quote Not Closed"],
  ["a\n1\n", { schema: parseSchema("b: int8") }, 'there is no column "b", which the schema has'],
  ["a,b\n1,2\n", { schema: parseSchema("b: int8") }, 'the schema has no column "a", which the file has'],
  ["a\n128\n", { schema: parseSchema("a: int8") }, 'line 2: column "a": "128" is not from -128 to 127'],
  ["a\n1\n\n", { schema: parseSchema("a: int8 not null") }, 'line 3: column "a" may not be null'],
  [
    "a\n1.234\n",
    { schema: parseSchema("a: decimal(5, 2)") },
    '"1.234" has more than 2 digits behind the point',
  ],
  ["a\nyes\n", { schema: parseSchema("a: bool") }, '"yes" is neither true nor false'],
  ["a\n[1\n", { schema: parseSchema("a: list<int8>") }, '"[1" is not JSON'],
  [
    'a\n"[1,300]"\n',
    { schema: parseSchema("a: list<uint8>") },
    'line 2: an item of column "a": 300 is not from 0 to 255',
  ],
  ["a\n2026-13-01\n", { schema: parseSchema("a: date") }, "is no date such as 2026-11-22"],
  ["a\nabc\n", { schema: parseSchema("a: binary") }, '"abc" is not bytes in base64'],
])("%j is refused with its line", async (text, options, reason) => {
  await expect(read(text, options)).rejects.toMatchObject({
    code: "KHONSU_FILE_INVALID",
    message: expect.stringContaining(reason),
  });
});

test("what is not UTF-8 is refused", async () => {
  await expect(read(Uint8Array.of(0x61, 0x0a, 0xff, 0x0a))).rejects.toMatchObject({
    code: "KHONSU_FILE_INVALID",
    message: "Cannot read f.csv: it is not UTF-8",
  });
});

test.each([
  ["a int64", 'expected ":", found "int64"'],
  ["a: int65", 'expected a type, found "int65"'],
  ["a: list<int8", 'expected ">", found the end'],
  ["a: decimal(40, 2)", "no decimal has precision 40 and scale 2"],
  ["a: int8, a: int8", 'two columns are named "a"'],
  ["a: int8 b", 'expected a comma or the end, found "b"'],
  ["", "expected the name of a column, found the end"],
  ['a: int8, "b', "is not understood"],
  ["a: constructor", 'expected a type, found "constructor"'],
])("the schema %j is refused", (text, reason) => {
  expect(() => parseSchema(text)).toThrow(
    expect.objectContaining({ code: "KHONSU_SCHEMA_INVALID", message: expect.stringContaining(reason) }),
  );
});

test("what is written is read again without a schema where the types are those inferred", async () => {
  const text = 'id,name,at\n1,,2026-11-22\n2,"",\n';
  const { schema } = await read(text);
  const batch = await firstBatch(text);
  expect([csvHeader(batch.schema), ...csvRows(batch)].join("")).toBe(text);
  expect(schema).toBe("id: int64, name: utf8, at: date32");
});

async function firstBatch(text: string): Promise<RecordBatch> {
  const source = (async function* () {
    yield Buffer.from(text);
  })();
  for await (const batch of readCsv(source, "f.csv")) return batch;
  throw new Error("no batch");
}
