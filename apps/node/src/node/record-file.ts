/**
 * Keeps who this node is in one file of its data directory. A new text is written beside the old one, synced, and put in its place, so
 * that after a loss of power it is the old or the new.
 */
import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { RecordStore } from "@khonsu/cluster";

export class RecordFile implements RecordStore {
  readonly #path: string;

  /** @param path in a directory that exists. */
  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<string | undefined> {
    try {
      return await readFile(this.#path, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  async save(text: string): Promise<void> {
    const beside = `${this.#path}.new`;
    await writeSynced(beside, text);
    await rename(beside, this.#path);
    await syncDirectory(dirname(this.#path));
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Without it the new name may be lost with the power. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
