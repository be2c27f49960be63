/**
 * A file each write of which is on the disk when it resolves. To write over what a file has already takes the disk half as long as to
 * make it longer, which changes the file's length and place as well; so room is made beforehand, by zeros behind what is written.
 */
import { close, constants, fdatasync, fstatSync, openSync, write } from "node:fs";
import { open } from "node:fs/promises";

/** Room is made in so many bytes at a time. */
const ROOM_BYTES = 2 ** 18;

/** Where the system has it and it means what `fdatasync` means, a write and its sync are one call. */
const DSYNC: number = process.platform === "linux" ? constants.O_DSYNC : 0;

export class DurableFile {
  readonly #file: number;
  /** Bytes that the file has. */
  #room: number;

  /** Opens the file at `path` for reading and writing; it is created if there is none. */
  constructor(path: string) {
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT | DSYNC, 0o644);
    this.#room = fstatSync(this.#file).size;
  }

  /** Writes `bytes` from offset `at` on. After a rejection, any part of them may be there. */
  write(bytes: Buffer, at: number): Promise<void> {
    const end = at + bytes.byteLength;
    if (end <= this.#room) return this.#write(bytes, at);
    const grown = Math.ceil(end / ROOM_BYTES) * ROOM_BYTES;
    const zeros = Buffer.alloc(grown - end);
    return this.#write(Buffer.concat([bytes, zeros]), at).then(() => {
      this.#room = grown;
    });
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      close(this.#file, (error) => (error === null || error === undefined ? resolve() : reject(error)));
    });
  }

  #write(bytes: Buffer, at: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (error: Error | null) => (error === null ? resolve() : reject(error));
      const next = (from: number) => {
        write(this.#file, bytes, from, bytes.byteLength - from, at + from, (error, written) => {
          if (error !== null) reject(error);
          else if (from + written < bytes.byteLength) next(from + written);
          else if (DSYNC === 0) fdatasync(this.#file, finish);
          else resolve();
        });
      };
      next(0);
    });
  }
}

/** Has the disk take which files are in the directory at `path`. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows opens no directory, and has the disk take its entries by itself.
  if (process.platform === "win32") return;
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
