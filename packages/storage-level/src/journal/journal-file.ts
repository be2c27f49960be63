/**
 * One of the two files of a journal: a header, then records with numbers that follow one another. A file that is begun anew keeps
 * its old bytes; their numbers are below those expected, and their checksums begun with another salt, so they are not taken for records.
 *
 * The header is 32 bytes, within one sector of a disk, so that it is there whole, or as it was before: CRC-32 of what
 * follows, the mark `KJ01`, the number of the first record, the number from which on records may not be in LevelDB for good, the salt.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { DurableFile } from "./durable-file.ts";
import { readUint64, writeUint64 } from "./journal-record.ts";

export const FILE_HEADER_BYTES = 32;
const MARK = Buffer.from("KJ01", "latin1").readUInt32LE(0);

/** What the header of a file says. */
export interface FileHeader {
  /** Of the first record of the file. */
  readonly first: number;
  /** All records below it are in LevelDB for good. */
  readonly settled: number;
  readonly salt: number;
}

export function pathOf(location: string, index: number): string {
  return join(location, `JOURNAL-${index}`);
}

/** The header in the first bytes of a file; undefined if there is none. */
export function decodeFileHeader(bytes: Buffer): FileHeader | undefined {
  if (bytes.byteLength < FILE_HEADER_BYTES || bytes.readUInt32LE(4) !== MARK) return undefined;
  if (bytes.readUInt32LE(0) !== crc32(bytes.subarray(4, FILE_HEADER_BYTES))) return undefined;
  return { first: readUint64(bytes, 8), settled: readUint64(bytes, 16), salt: bytes.readUInt32LE(24) };
}

export class JournalFile {
  readonly #file: DurableFile;
  #header: FileHeader;
  #end = FILE_HEADER_BYTES;

  /** @param header that of the file; `begin` gives it another. The file has no record that is to be kept. */
  constructor(path: string, header: FileHeader) {
    this.#file = new DurableFile(path);
    this.#header = header;
  }

  get header(): FileHeader {
    return this.#header;
  }

  /** Where the next record goes. */
  get end(): number {
    return this.#end;
  }

  /** Forgets the records of the file. */
  async begin(first: number, settled: number): Promise<void> {
    const salt = randomBytes(4).readUInt32LE(0);
    const bytes = Buffer.alloc(FILE_HEADER_BYTES);
    bytes.writeUInt32LE(MARK, 4);
    writeUint64(bytes, first, 8);
    writeUint64(bytes, settled, 16);
    bytes.writeUInt32LE(salt, 24);
    bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
    await this.#file.write(bytes, 0);
    this.#header = { first, settled, salt };
    this.#end = FILE_HEADER_BYTES;
  }

  append(record: Buffer): Promise<void> {
    const at = this.#end;
    this.#end += record.byteLength;
    return this.#file.write(record, at);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
