/**
 * What a journal says at open: the records that may be missing in LevelDB, in order. The end of the last one may be torn: it was being
 * written, and nobody was told of it. Behind a torn record nothing is written, so where a record with a later number stands behind
 * something unreadable, or the newer file begins later than the older one ends, the journal is damaged (SF-10).
 */
import { readFile } from "node:fs/promises";
import { corrupt } from "../failures.ts";
import type { Operation } from "../write-batch.ts";
import { decodeFileHeader, FILE_HEADER_BYTES, type FileHeader, pathOf } from "./journal-file.ts";
import { ALIGNMENT, decodeRecord, endOfRecord, RECORD_HEADER_BYTES, readUint64 } from "./journal-record.ts";

export interface JournalContents {
  /** Of both files, by their index. */
  readonly headers: readonly [FileHeader, FileHeader];
  /** The index of the file that was begun last. */
  readonly newest: 0 | 1;
  /** The number of the next record. */
  readonly next: number;
  /** Those that may be missing in LevelDB. */
  readonly records: readonly Operation[][];
}

/**
 * @returns undefined where there is none, or where its creation was cut short.
 * @throws KhonsuError `KHONSU_STORAGE_CORRUPT` where records are lost that were acknowledged.
 */
export async function readJournal(location: string): Promise<JournalContents | undefined> {
  const files = await Promise.all([0, 1].map((index) => readIfThere(pathOf(location, index))));
  const [a, b] = files.map((file) => (file === undefined ? undefined : decodeFileHeader(file)));
  if (a === undefined || b === undefined) {
    // A crash while they were created leaves files without a record.
    if (files.some(hasRecords)) throw damaged(location, "a file is lost, or its header cannot be read");
    return undefined;
  }
  const newest = a.first > b.first ? 0 : 1;
  const [older, newer] = newest === 0 ? [b, a] : [a, b];
  const records: Operation[][] = [];
  if (older.first < newer.first && newer.settled < newer.first) {
    const end = readRecords(files[1 - newest]!, older, newer.settled, records, location);
    if (older.first > newer.settled || end !== newer.first)
      throw damaged(location, `records ${end} to ${newer.first - 1} are missing`);
  }
  const next = readRecords(files[newest]!, newer, newer.settled, records, location);
  return { headers: [a, b], newest, next, records };
}

function hasRecords(file: Buffer | undefined): boolean {
  return file?.subarray(FILE_HEADER_BYTES).some((byte) => byte !== 0) ?? false;
}

/** Adds the records from `from` on that the file has; returns the number after the last one. */
function readRecords(
  file: Buffer,
  { first, salt }: FileHeader,
  from: number,
  records: Operation[][],
  location: string,
): number {
  let at = FILE_HEADER_BYTES;
  for (let sequence = first; ; sequence++) {
    const end = endOfRecord(file, at, sequence, salt);
    if (end === undefined) {
      if (isRecordBehind(file, at, sequence, salt))
        throw damaged(location, `record ${sequence} cannot be read, and there are others behind it`);
      return sequence;
    }
    if (sequence >= from) records.push(decodeRecord(file, at));
    at = end;
  }
}

/** A file has less records than this. */
const RECORDS_MAX = 2 ** 20;

/** Whether a whole record with a number above `sequence` stands anywhere behind `at`. */
function isRecordBehind(file: Buffer, at: number, sequence: number, salt: number): boolean {
  for (
    let candidate = at + ALIGNMENT;
    candidate + RECORD_HEADER_BYTES <= file.byteLength;
    candidate += ALIGNMENT
  ) {
    const found = readUint64(file, candidate + 8);
    if (found <= sequence || found > sequence + RECORDS_MAX) continue;
    if (endOfRecord(file, candidate, found, salt) !== undefined) return true;
  }
  return false;
}

function damaged(location: string, how: string) {
  return corrupt(`the journal in ${location} is damaged: ${how}`);
}

const ABSENT = new Set<unknown>(["ENOENT", "ENOTDIR"]);

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && ABSENT.has(error.code)) return undefined;
    throw error;
  }
}
