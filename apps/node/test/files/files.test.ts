/** Files of each format, written and read again; and those that are damaged, cut short, or not there. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type RecordBatch, RecordBatchStreamWriter } from "apache-arrow";
import { afterAll, expect, test } from "vitest";
import { TemporaryDirectory } from "../../src/demo/temporary-directory.ts";
import { batchOfRows } from "../../src/files/build-batch.ts";
import { readBatches } from "../../src/files/read-input.ts";
import { rowsOf } from "../../src/files/rows.ts";
import { parseSchema } from "../../src/files/type-text.ts";
import { writeBatches } from "../../src/files/write-output.ts";

const directory = new TemporaryDirectory("khonsu-files-");
afterAll(() => directory[Symbol.dispose]());
const place = (name: string) => join(directory.path, name);

const schema = parseSchema("id: int64, name: dictionary<utf8>, price: decimal(9, 2), tags: list<utf8>");
const pages = [0, 1, 2].map((page) =>
  batchOfRows(
    [1, 2, 3].map((i) => ({
      id: BigInt(page * 10 + i),
      name: `n${page}`,
      price: `${i}.25`,
      tags: ["a", null],
    })),
    schema,
  ),
);
const rows = pages.flatMap((batch) => [...rowsOf(batch)]);

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function rowsIn(batches: AsyncIterable<RecordBatch>) {
  const found = [];
  for await (const batch of batches) found.push(...rowsOf(batch));
  return found;
}

test.each(["a.arrow", "a.arrows", "a.csv", "a.tsv", "a.jsonl"])("%s holds what was written", async (name) => {
  await writeBatches(place(name), each(pages));
  expect(existsSync(`${place(name)}.partial`)).toBe(false);
  expect(await rowsIn(readBatches(place(name), { schema }))).toEqual(rows);
  // The same bytes over standard input, which tells its format by its beginning.
  const options = { schema, delimiter: name.endsWith("tsv") ? "\t" : "," };
  const stdin = each([readFileSync(place(name))]);
  expect(await rowsIn(readBatches("-", options, stdin))).toEqual(rows);
});

test("how far a file has been read is told", async () => {
  await writeBatches(place("b.csv"), each(pages));
  let last = 0;
  await rowsIn(
    readBatches(place("b.csv"), {
      schema,
      onRead: (bytes) => {
        last = bytes;
      },
    }),
  );
  expect(last).toBe(readFileSync(place("b.csv")).length);
});

test("an Arrow stream that is cut short is refused, wherever it is cut", async () => {
  const whole = RecordBatchStreamWriter.writeAll(pages).toUint8Array(true);
  for (let length = 1; length < whole.length; length += 13) {
    writeFileSync(place("cut.arrows"), whole.subarray(0, length));
    await expect(rowsIn(readBatches(place("cut.arrows")))).rejects.toMatchObject({
      code: "KHONSU_FILE_INVALID",
    });
  }
});

test("an Arrow file that is cut short is refused", async () => {
  await writeBatches(place("c.arrow"), each(pages));
  const whole = readFileSync(place("c.arrow"));
  for (let length = 0; length < whole.length; length += 101) {
    writeFileSync(place("cut.arrow"), whole.subarray(0, length));
    await expect(rowsIn(readBatches(place("cut.arrow")))).rejects.toMatchObject({
      code: "KHONSU_FILE_INVALID",
    });
  }
});

test.each([
  ["none.csv", "KHONSU_FILE_FAILED", "no such file or directory"],
  [".", "KHONSU_FILE_FAILED", "Cannot tell the format"],
])("%s cannot be read", async (name, code, reason) => {
  await expect(rowsIn(readBatches(place(name)))).rejects.toMatchObject({
    code,
    message: expect.stringContaining(reason),
  });
});

test("rows of two schemas are not written into one file, and no part of it stays", async () => {
  const other = batchOfRows([{ x: 1 }]);
  await expect(writeBatches(place("d.csv"), each([pages[0]!, other]))).rejects.toMatchObject({
    code: "KHONSU_FILE_INVALID",
  });
  expect([existsSync(place("d.csv")), existsSync(place("d.csv.partial"))]).toEqual([false, false]);
});

test("a directory that is not there is named", async () => {
  await expect(writeBatches(place("no/d.csv"), each(pages))).rejects.toMatchObject({
    code: "KHONSU_FILE_FAILED",
    message: expect.stringContaining("no such file or directory"),
  });
});

test("standard output gets a table on a terminal and CSV elsewhere", async () => {
  const output = async (terminal: PassThrough) => {
    await writeBatches("-", each(pages), {}, terminal);
    terminal.end();
    return (await terminal.toArray()).join("");
  };
  const csv = await output(new PassThrough());
  expect(csv.split("\n")[1]).toBe('1,n0,1.25,"[""a"",null]"');
  const table = await output(Object.assign(new PassThrough(), { isTTY: true, columns: 80 }));
  expect(table).toContain("decimal(9, 2)");
  expect(table).toContain("9 rows; 4 columns");
});
