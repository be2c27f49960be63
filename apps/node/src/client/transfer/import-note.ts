/**
 * How far an import is: a row under a key of its own, written in the same transaction as each part. So a part is there exactly if the
 * note says so, whatever was killed when, and whether or not anybody heard of the commit.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { TransactionContext } from "@khonsu/core";
import { CommandError } from "../../failure.ts";
import { batchOfRows } from "../../files/build-batch.ts";
import { rowsOf } from "../../files/rows.ts";
import { parseSchema } from "../../files/type-text.ts";

export interface ImportNote {
  /** Tells the file, and how it is split, from any other. */
  readonly source: string;
  /** So many parts are committed, from the first on. */
  readonly parts: number;
}

const SCHEMA = parseSchema("source: utf8, parts: int64");

/** Not below the prefix itself, so that scans of what is imported do not meet it. */
export function noteKey(prefix: string): string {
  return `khonsu.import/${prefix}`;
}

export async function readNote(tx: TransactionContext, prefix: string): Promise<ImportNote | undefined> {
  const batch = await tx.read(noteKey(prefix));
  const [row] = batch === undefined ? [] : rowsOf(batch);
  return row === undefined ? undefined : { source: String(row.source), parts: Number(row.parts) };
}

export function writeNote(tx: TransactionContext, prefix: string, { source, parts }: ImportNote): void {
  tx.write(noteKey(prefix), batchOfRows([{ source, parts }], SCHEMA));
}

/** What the file holds and how it is split, as one short text. */
export async function sourceOf(path: string, how: readonly unknown[]): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return createHash("sha256").update(hash.digest()).update(JSON.stringify(how)).digest("base64url");
}

export function otherImport(prefix: string): CommandError {
  return new CommandError(
    `Another import to ${JSON.stringify(prefix)}, of another file or split otherwise, was interrupted or runs: run that one again, or begin anew with --restart`,
    { code: "KHONSU_IMPORT_MISMATCH" },
  );
}
