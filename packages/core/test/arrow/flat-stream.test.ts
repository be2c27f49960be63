/** Streams of flat batches that are written and read by hand, against apache-arrow's writer and reader. */

import { RecordBatch, RecordBatchReader, RecordBatchStreamWriter, Schema, tableFromIPC } from "apache-arrow";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkBatch } from "../../src/table/check-batch.ts";
import { xxHash32 } from "../../src/table/checksum.ts";
import { readFlatStream, writeFlatStream } from "../../src/table/flat-stream.ts";
import { decodeBatches, encodeBatches } from "../../src/table/index.ts";
import { batchForIpc } from "../../src/table/ipc-input.ts";
import { layoutOf } from "../../src/table/layout.ts";
import { verifyStream } from "../../src/table/verify-stream.ts";
import { batchOfColumns, tuplesOf } from "./batches.ts";
import { buildData, buildSliced } from "./build-data.ts";
import { randomModels } from "./models.ts";
import { Random } from "./random.ts";
import { SCALAR_TYPES, TYPE_CASES } from "./types.ts";

const FLAT = ["bits", "fixed", "bytes"];
const flatTypes = Object.values(SCALAR_TYPES)
  .flat()
  .filter((make) => FLAT.includes(layoutOf(make())));
const flatCases = TYPE_CASES.filter(({ make }) => FLAT.includes(layoutOf(make())));
const seeds = fc.integer({ min: 0, max: 2 ** 31 });

/** Batches of one schema, with nulls in some of the columns, whole and cut out of longer ones. */
function batchesOf(random: Random, rowsOf: readonly number[]): RecordBatch[] {
  const types = Array.from({ length: 1 + random.below(5) }, () => random.pick(flatTypes)());
  const withNulls = types.map(() => random.chance());
  const batches = rowsOf.map((rows) =>
    batchOfColumns(
      types.map((type, i) => {
        const models = randomModels(type, rows, random).filter((model) => withNulls[i] || model !== null);
        while (models.length < rows) models.push(models[0] ?? nonNull(type, random));
        return random.chance(3) ? buildSliced(type, models, random, []) : buildData(type, models, random);
      }),
    ),
  );
  return batches.map(({ data }) => new RecordBatch(batches[0]!.schema, data));
}

function nonNull(type: Parameters<typeof randomModels>[0], random: Random) {
  for (;;) {
    const [model] = randomModels(type, 1, random);
    if (model !== null && model !== undefined) return model;
  }
}

/** As `readFlatStream` reads it once the schema is known, or apache-arrow where it does not. */
function readByArrow(stream: Uint8Array): RecordBatch[] {
  verifyStream(stream);
  const batches = [...RecordBatchReader.from(stream)];
  if (batches.length === 0) throw new Error("there is no batch");
  for (const batch of batches) checkBatch(batch);
  return batches;
}

function sealed(stream: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(stream.length + 16);
  bytes.set(stream);
  bytes.set(new TextEncoder().encode("KHSTREAM"), stream.length);
  const view = new DataView(bytes.buffer, stream.length + 8);
  view.setUint32(0, stream.length, true);
  view.setUint32(4, xxHash32(stream), true);
  return bytes;
}

test.each(flatCases)("$name is written and read by hand", ({ make }) => {
  const random = new Random(1);
  const type = make();
  for (const rows of [1, 2, 7, 8, 9, 64, 100]) {
    const batch = batchOfColumns([buildData(type, randomModels(type, rows, random), random)]);
    const stream = writeFlatStream([batch], 0);
    if (stream === undefined) expect.fail("it was left to apache-arrow");
    expect(tableFromIPC(stream).batches.flatMap(tuplesOf)).toEqual(tuplesOf(batch));
    decodeBatches(sealed(stream));
    expect(readFlatStream(stream)?.flatMap(tuplesOf)).toEqual(tuplesOf(batch));
  }
});

/** Of bits apache-arrow writes as many as a batch has, and here it is as many as there are rows. */
const wholeBytes = flatCases.filter(({ make }) => layoutOf(make()) !== "bits");

/** What comes from a network: views of Node's buffers, whose own `slice` copies nothing. */
test.each([1, 4, 8])("a stream that begins %i bytes into a buffer of Node is read", (offset) => {
  const random = new Random(2);
  for (const { make } of flatCases) {
    const batch = batchOfColumns([buildData(make(), randomModels(make(), 9, random), random)]);
    const bytes = encodeBatches([batch]);
    const buffer = Buffer.alloc(offset + bytes.length);
    buffer.set(bytes, offset);
    expect(decodeBatches(buffer.subarray(offset)).flatMap(tuplesOf)).toEqual(tuplesOf(batch));
    // Once more: the schema is known now.
    expect(decodeBatches(buffer.subarray(offset)).flatMap(tuplesOf)).toEqual(tuplesOf(batch));
  }
});

test.each(wholeBytes)("without nulls, $name is the same bytes as from apache-arrow", ({ make }) => {
  const random = new Random(2);
  const type = make();
  for (const rows of [1, 3, 64]) {
    const models = Array.from({ length: rows }, () => nonNull(type, random));
    const batch = batchOfColumns([buildData(type, models, random)]);
    const theirs = RecordBatchStreamWriter.writeAll([batchForIpc(batch)]).toUint8Array(true);
    expect(Buffer.compare(writeFlatStream([batch], 0)!, theirs)).toBe(0);
  }
});

test("whatever the columns, nulls, cuts and numbers of batches, apache-arrow reads the same rows", () => {
  fc.assert(
    fc.property(seeds, fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }), (seed, rows) => {
      const batches = batchesOf(new Random(seed), rows);
      const expected = batches.flatMap(tuplesOf);
      const bytes = encodeBatches(batches);
      const byArrow = tableFromIPC(bytes);
      expect(byArrow.batches.flatMap(tuplesOf)).toEqual(expected);
      for (let offset = 0; offset < 9; offset++) {
        const moved = new Uint8Array(bytes.length + offset);
        moved.set(bytes, offset);
        const decoded = decodeBatches(moved.subarray(offset));
        expect(decoded.flatMap(tuplesOf)).toEqual(expected);
        expect(String(decoded[0]!.schema)).toBe(String(byArrow.schema));
      }
    }),
    { numRuns: 300 },
  );
});

test("names, nullability and metadata are those of the schema that was written", () => {
  const random = new Random(3);
  const type = flatTypes[3]!();
  const { data, schema } = batchOfColumns([buildData(type, randomModels(type, 2, random), random)]);
  const of = (name: string, nullable: boolean, metadata: ReadonlyMap<string, string>) => {
    const field = schema.fields[0]!.clone({ name, nullable, metadata: new Map(metadata) });
    return new RecordBatch(new Schema([field], new Map(metadata)), data);
  };
  const none = new Map<string, string>();
  const batches = [
    of("a", true, none),
    of("a", false, none),
    of("b", true, none),
    of("a", true, new Map([["k", "v"]])),
  ];
  for (const batch of [...batches, ...batches]) {
    const [decoded] = decodeBatches(encodeBatches([batch]));
    const [field] = decoded!.schema.fields;
    expect([field!.name, field!.nullable]).toEqual([
      batch.schema.fields[0]!.name,
      batch.schema.fields[0]!.nullable,
    ]);
    expect([...field!.metadata]).toEqual([...batch.schema.fields[0]!.metadata]);
    expect([...decoded!.schema.metadata]).toEqual([...batch.schema.metadata]);
  }
});

describe("bytes that were changed and sealed anew", () => {
  const outcome = (decode: () => RecordBatch[]) => {
    try {
      return decode().flatMap(tuplesOf);
    } catch {
      return "refused";
    }
  };

  test("are read as apache-arrow reads them, or refused as they would be", () => {
    fc.assert(
      fc.property(
        seeds,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (seed, changes) => {
          const stream = writeFlatStream(batchesOf(new Random(seed), [3, 2]).map(batchForIpc), 0);
          if (stream === undefined) return;
          decodeBatches(sealed(stream));
          for (const [at, value] of changes) stream[at % stream.length] = value;
          expect(outcome(() => decodeBatches(sealed(stream)))).toEqual(outcome(() => readByArrow(stream)));
        },
      ),
      {
        numRuns: 2000,
        // The width of a decimal becomes negative.
        examples: [[1886728928, [[1215420615, 128]]]],
      },
    );
  });

  test("cut or with more behind them are not read by hand", () => {
    const stream = writeFlatStream(batchesOf(new Random(9), [4]).map(batchForIpc), 0)!;
    decodeBatches(sealed(stream));
    expect(readFlatStream(stream)).toBeDefined();
    for (let length = 0; length < stream.length; length++)
      expect(readFlatStream(stream.slice(0, length))).toBeUndefined();
    expect(readFlatStream(Uint8Array.of(...stream, 0, 0, 0, 0, 0, 0, 0, 0))).toBeUndefined();
  });
});
