/**
 * What Khonsu does to Arrow batches, by rows: encode and decode them (sealed by a checksum), append a row to a value, merge a row by its
 * key, combine chunks. Peers: apache-arrow itself where it has the operation; otherwise the limit, a copy of the same buffers. Then
 * what a commit spends outside of Arrow, from a profile.
 */
import { concatBatches, Khonsu } from "@khonsu/core";
import { appendRows, decodeBatches, encodeBatches, type StoredValue } from "@khonsu/core/values";
import { type LevelDatabase, LevelStorage } from "@khonsu/storage-level";
import { type Data, type RecordBatch, Table, tableFromIPC, tableToIPC, vectorFromArray } from "apache-arrow";
import { accounts } from "../arrow-batches.ts";
import { type BenchCase, compare, type Subject } from "../compare.ts";
import { cpuShares } from "../cpu-shares.ts";
import type { Detail, SuiteResult } from "../report/row.ts";
import type { SuiteOptions } from "./index.ts";

const SIZES = [1, 100, 10_000, 1_000_000] as const;
const CHUNKS = 64;
/** Rows to go through in a round, which bounds the time of operations that copy all of them. */
const ROWS_A_ROUND = 20_000_000;

export async function arrow({ quick, progress }: SuiteOptions): Promise<SuiteResult> {
  const scale = quick ? 0.05 : 1;
  const rounds = quick ? 3 : 7;
  const rows = await compare(arrowCases(SIZES, scale), { suite: "arrow", rounds, progress });
  const details: Detail[] = [];
  for (const size of SIZES) details.push(await commitShares(size, operationsFor(size, scale)));
  return { rows, details };
}

export function arrowCases(sizes: readonly number[], scale: number): BenchCase[] {
  return sizes.flatMap((rows): BenchCase[] => {
    const batch = accounts(0, rows);
    const copying = operationsFor(rows, scale);
    const constant = Math.ceil(20_000 * scale);
    const name = (operation: string) =>
      `${operation}, ${rows.toLocaleString("en-US")} ${rows === 1 ? "row" : "rows"}`;
    return [
      { name: name("encode"), operations: copying, subjects: encoding(batch) },
      { name: name("decode"), operations: constant, subjects: decoding(batch) },
      { name: name("append one row to"), operations: constant, subjects: appending(batch) },
      {
        name: name("merge one row by key into"),
        operations: constant,
        subjects: merging(batch, copying / constant),
      },
      ...(rows >= CHUNKS
        ? [{ name: name(`combine ${CHUNKS} chunks to`), operations: copying, subjects: combining(rows) }]
        : []),
    ];
  });
}

/** How often an operation that touches all rows is run in a round. */
function operationsFor(rows: number, scale: number): number {
  return Math.ceil(Math.min(20_000, Math.max(20, ROWS_A_ROUND / rows)) * scale);
}

/** A subject that repeats something synchronous; what it returns is kept, so that nothing is optimised away. */
function repeated(name: string, operation: () => unknown, share = 1): Subject {
  let last: unknown;
  return {
    name,
    share,
    prepare: () => ({
      run: (operations) => {
        for (let i = 0; i < operations; i++) last = operation();
      },
      close: () => {
        if (last === undefined) throw new Error(`${name} gave nothing`);
      },
    }),
  };
}

function encoding(batch: RecordBatch): Subject[] {
  const buffers = buffersOf(batch.data);
  return [
    repeated("khonsu, with its checksum", () => encodeBatches([batch])),
    repeated("apache-arrow tableToIPC", () => tableToIPC(new Table([batch]), "stream")),
    repeated("copy of the buffers", () => buffers.map((buffer) => buffer.slice())),
  ];
}

function decoding(batch: RecordBatch): Subject[] {
  const sealed = encodeBatches([batch]);
  const stream = tableToIPC(new Table([batch]), "stream");
  // The checksum is over all bytes.
  const share = Math.min(1, 20_000 / Math.max(1, batch.numRows));
  return [
    repeated("khonsu, with its checksum and bounds checked", () => decodeBatches(sealed), share),
    repeated("apache-arrow tableFromIPC, unchecked", () => tableFromIPC(stream)),
  ];
}

/** Both begin again from the whole value now and then; what came before grows by a chunk an append with apache-arrow. */
function appending(batch: RecordBatch): Subject[] {
  const one = accounts(batch.numRows, 1);
  const table = new Table([one]);
  let value: StoredValue = batch;
  let grown = new Table([batch]);
  return [
    repeated("khonsu", () => {
      value = appendRows(value, one, undefined, "key");
      return value;
    }),
    repeated("apache-arrow Table.concat, at most 100 chunks", () => {
      grown = grown.batches.length >= 100 ? new Table([batch]) : grown.concat(table);
      return grown;
    }),
  ];
}

function merging(batch: RecordBatch, share: number): Subject[] {
  const buffers = buffersOf(batch.data);
  const changes = Array.from({ length: 64 }, (_, index) => accounts((index * 7919) % batch.numRows, 1));
  let value: StoredValue = batch;
  let next = 0;
  return [
    repeated("khonsu, by its index of keys", () => {
      value = appendRows(value, changes[next++ % changes.length]!, "id", "key");
      return value;
    }),
    repeated("copy of the buffers", () => buffers.map((buffer) => buffer.slice()), Math.min(1, share)),
  ];
}

function combining(rows: number): Subject[] {
  const size = Math.floor(rows / CHUNKS);
  const chunks = Array.from({ length: CHUNKS }, (_, index) => accounts(index * size, size));
  const table = new Table(chunks);
  const rebuild = () =>
    new Table({
      id: vectorFromArray(table.getChild("id")!.toArray()),
      amount: vectorFromArray(table.getChild("amount")!.toArray()),
      label: vectorFromArray([...table.getChild("label")!]),
    });
  return [
    repeated("khonsu concatBatches", () => concatBatches(chunks)),
    repeated("apache-arrow, vectors built anew", rebuild, 0.05),
  ];
}

/** The buffers that hold the data of a batch, as views. */
function buffersOf({ buffers, children }: Data): Uint8Array[] {
  const own = Object.values(buffers).filter((buffer) => ArrayBuffer.isView(buffer));
  const views = own.map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  return [...views, ...children.flatMap(buffersOf)];
}

/** Takes what is written and drops it, so that a profile shows the processor and not the disk. */
const NO_DISK: LevelDatabase = {
  batch: async () => {},
  getMany: async () => [],
  iterator: async function* () {},
  close: async () => {},
};

/** Shares of the processor's time of commits that write one batch of `rows` rows and encode it for LevelDB. */
async function commitShares(rows: number, operations: number): Promise<Detail> {
  const db = await Khonsu.open({ storage: await LevelStorage.over(NO_DISK), detectLeaks: false });
  const batches = Array.from({ length: 8 }, (_, index) => accounts(index, rows));
  const commits = async () => {
    for (let i = 0; i < operations; i++)
      await db.transact((tx) => tx.write(`key/${i % 1000}`, batches[i % 8]!));
  };
  await commits();
  const started = performance.now();
  await commits();
  const microseconds = ((performance.now() - started) * 1000) / operations;
  const shares = await cpuShares(commits, partOfCommit);
  await db.close();
  const inArrow = shares.get("Arrow") ?? 0;
  return {
    "a commit that writes a batch, no disk": `${rows.toLocaleString("en-US")} ${rows === 1 ? "row" : "rows"}`,
    "µs a commit": Math.round(microseconds * 10) / 10,
    "Arrow %": percent(inArrow),
    "outside Arrow %": percent(1 - inArrow),
    "transaction %": percent(shares.get("transaction") ?? 0),
    "copy and checksum %": percent(shares.get("copy and checksum") ?? 0),
    "storage, the rest %": percent(shares.get("storage") ?? 0),
    "garbage collector %": percent(shares.get("garbage collector") ?? 0),
  };
}

function percent(share: number): number {
  return Math.round(share * 1000) / 10;
}

/** Encoding, checks and checksums of batches count as Arrow's, whoever's code does it. */
function partOfCommit(url: string): string | undefined {
  if (/apache-arrow|flatbuffers|core\/src\/table|arrow-messages|flat-batch/.test(url)) return "Arrow";
  if (url.includes("core/src")) return "transaction";
  if (/storage-level\/src\/(record|checksum)\.ts/.test(url)) return "copy and checksum";
  if (url.includes("storage-level/src")) return "storage";
  return undefined;
}
